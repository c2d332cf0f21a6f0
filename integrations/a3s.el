;;; a3s.el --- Run a prompt through a3s in a buffer  -*- lexical-binding: t -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: tools

;;; Commentary:

;; M-x a3s asks for a prompt and runs it; the answer and the calls stream into
;; the buffer *a3s*.  C-c C-k there, or M-x a3s-cancel, cancels the run.
;;
;; The run is a process that writes JSON to a pipe.  When a tool has written a
;; file that is visited here, its buffer is reverted, unless it has unsaved
;; changes.

;;; Code:

(require 'json)
(require 'subr-x)

(defgroup a3s nil
  "An agent on the command line."
  :group 'tools)

(defcustom a3s-command '("a3s" "run")
  "The program and its options, such as (\"a3s\" \"run\" \"--allow\" \"edit\")."
  :type '(repeat string))

(defvar a3s-process nil
  "The run that goes on.")

(defvar a3s-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-k") #'a3s-cancel)
    map)
  "Keys of the buffer *a3s*.")

(define-derived-mode a3s-mode special-mode "a3s"
  "Show a run of a3s."
  (setq-local window-point-insertion-type t))

;;;###autoload
(defun a3s (prompt)
  "Run PROMPT in the directory of the current buffer."
  (interactive "sPrompt: ")
  (when (process-live-p a3s-process)
    (user-error "The last run goes on: M-x a3s-cancel ends it"))
  (let ((buffer (get-buffer-create "*a3s*"))
        (directory default-directory))
    (with-current-buffer buffer
      (unless (derived-mode-p 'a3s-mode) (a3s-mode))
      (setq default-directory directory)
      (a3s--say "> %s\n" prompt)
      (setq a3s-process
            (make-process :name "a3s"
                          :buffer buffer
                          :command (append a3s-command (list "-o" "json" "--" prompt))
                          :connection-type 'pipe
                          :coding 'utf-8-unix
                          :noquery t
                          :filter #'a3s--read
                          :sentinel #'a3s--ended)))
    (process-send-eof a3s-process)
    (display-buffer buffer)))

(defun a3s-cancel ()
  "End the run: it ends its tools and says so in the buffer."
  (interactive)
  (when (process-live-p a3s-process)
    (signal-process a3s-process 'SIGTERM)))

(defun a3s--read (process output)
  "Show every line of OUTPUT that is whole; keep the rest with PROCESS."
  (let* ((lines (split-string (concat (process-get process 'rest) output) "\n"))
         (rest (car (last lines))))
    (process-put process 'rest rest)
    (with-current-buffer (process-buffer process)
      (mapc #'a3s--show (butlast lines)))))

(defun a3s--ended (process _news)
  "Finish the page of PROCESS."
  (when (buffer-live-p (process-buffer process))
    (with-current-buffer (process-buffer process)
      (a3s--fresh)
      (a3s--add "\n"))))

(defun a3s--show (line)
  "Show the event in LINE; what is none comes from stderr."
  (let* ((event (ignore-errors (json-parse-string line :object-type 'alist)))
         (type (alist-get 'type event))
         (tool (alist-get 'toolName event)))
    (pcase type
      ((or "text_delta" "tool_output_delta") (a3s--add (alist-get 'text event)))
      ("tool_start" (a3s--say "[%s] %s" tool (a3s--input (alist-get 'toolInput event))))
      ("tool_end"
       (a3s--fresh)
       (when (alist-get 'path event)
         (a3s--reload (alist-get 'path event))))
      ("permission_denied"
       (a3s--say "[%s] denied: %s" tool (alist-get 'reason event))
       (unless (string-empty-p (alist-get 'hint event))
         (a3s--say "%s" (alist-get 'hint event))))
      ("notice" (a3s--say "%s" (alist-get 'text event)))
      ("error" (a3s--say "error: %s" (alist-get 'error event)))
      ('nil (a3s--say "%s" line)))))

(defun a3s--input (input)
  "Give what INPUT is about: its command or its path, else all of it."
  (or (seq-some (lambda (name) (alist-get name input))
                '(command file_path pattern path url))
      (json-encode input)))

(defun a3s--reload (path)
  "Read the buffer of PATH again."
  (let ((buffer (find-buffer-visiting path)))
    (cond ((null buffer))
          ((buffer-modified-p buffer)
           (a3s--say "%s has changes of yours, and was not read again" path))
          (t (with-current-buffer buffer
               (revert-buffer t t t))))))

(defun a3s--add (text)
  "Go on with TEXT at the end of the buffer."
  (let ((inhibit-read-only t))
    (save-excursion
      (goto-char (point-max))
      (insert text))))

(defun a3s--fresh ()
  "Begin a line, unless one has just begun."
  (unless (save-excursion (goto-char (point-max)) (bolp))
    (a3s--add "\n")))

(defun a3s--say (format &rest arguments)
  "Write a line of its own, made of FORMAT and ARGUMENTS."
  (a3s--fresh)
  (a3s--add (concat (apply #'format format arguments) "\n")))

(provide 'a3s)

;;; a3s.el ends here
