;;; a3s.el --- Run a prompt through a3s in a buffer  -*- lexical-binding: t -*-

;; Version: 0.1.0
;; Package-Requires: ((emacs "27.1"))
;; Keywords: tools

;;; Commentary:

;; M-x a3s asks for a prompt and runs it; the answer and the calls stream into
;; the buffer *a3s*.  An active region is sent along.  During a run, the prompt
;; is a message for its next turn.  C-c C-a there, or M-x a3s-answer, answers a
;; permission request; C-c C-k, or M-x a3s-cancel, cancels the run.
;;
;; One process does all runs, and speaks JSON over a pipe in both directions.
;; When a tool has written a file that is visited here, its buffer is reverted,
;; unless it has unsaved changes.

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
  "The process that does the runs.")

(defvar a3s-running nil
  "Whether a run is active.")

(defvar a3s--asked nil
  "The call that waits for permission.")

(defvar a3s-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "C-c C-k") #'a3s-cancel)
    (define-key map (kbd "C-c C-a") #'a3s-answer)
    map)
  "Keys of the buffer *a3s*.")

(define-derived-mode a3s-mode special-mode "a3s"
  "Show a run of a3s."
  (setq-local window-point-insertion-type t))

;;;###autoload
(defun a3s (prompt &optional context)
  "Run PROMPT in the directory of the current buffer, with CONTEXT after it.
During a run, PROMPT is a message for its next turn."
  (interactive (list (read-string "Prompt: ")
                     (and (use-region-p) (a3s--region (region-beginning) (region-end)))))
  (let ((buffer (a3s--buffer)))
    (a3s--start buffer default-directory)
    (with-current-buffer buffer
      (a3s--say "> %s\n" prompt))
    (a3s--send `((type . ,(if a3s-running "steer" "prompt"))
                 (text . ,(concat prompt context))))
    (setq a3s-running t)
    (display-buffer buffer)))

(defun a3s-answer (answer &optional text)
  "Answer the permission request: ANSWER is once, always or no.
TEXT tells the model what to do instead."
  (interactive (list (completing-read "Answer: " '("once" "always" "no") nil t)))
  (unless a3s--asked
    (user-error "The run of a3s asks nothing"))
  (a3s--send `((type . "answer") (toolId . ,a3s--asked) (answer . ,answer)
               (text . ,(or text ""))))
  (setq a3s--asked nil))

(defun a3s-cancel ()
  "Cancel the run: it ends its tools and reports it in the buffer."
  (interactive)
  (when a3s-running
    (a3s--send '((type . "cancel")))))

(defun a3s--region (from to)
  "Return the text between FROM and TO as a prompt tells of it."
  (format "\n\n<file path=\"%s\" lines=\"%d-%d\">\n%s\n</file>"
          (or (buffer-file-name) (buffer-name))
          (line-number-at-pos from) (line-number-at-pos to)
          (string-remove-suffix "\n" (buffer-substring-no-properties from to))))

(defun a3s--buffer ()
  "Return the buffer that shows the runs."
  (let ((buffer (get-buffer-create "*a3s*")))
    (with-current-buffer buffer
      (unless (derived-mode-p 'a3s-mode) (a3s-mode)))
    buffer))

(defun a3s--start (buffer directory)
  "Start the process that writes to BUFFER in DIRECTORY, unless it is there."
  (let ((command (append a3s-command '("--input" "json"))))
    (unless (and (process-live-p a3s-process)
                 (or a3s-running
                     (equal (process-get a3s-process 'place) (cons directory command))))
      (when (process-live-p a3s-process)
        ;; With its input closed it ends by itself.
        (process-send-eof a3s-process))
      (with-current-buffer buffer
        (setq default-directory directory)
        (setq a3s-process
              (make-process :name "a3s"
                            :buffer buffer
                            :command command
                            :connection-type 'pipe
                            :coding 'utf-8-unix
                            :noquery t
                            :filter #'a3s--read
                            :sentinel #'a3s--ended)))
      (process-put a3s-process 'place (cons directory command)))))

(defun a3s--send (message)
  "Send MESSAGE; a process that has just ended says why by itself."
  (ignore-errors (process-send-string a3s-process (concat (json-encode message) "\n"))))

(defun a3s--read (process output)
  "Show every line of OUTPUT that is whole; keep the rest with PROCESS."
  (let* ((lines (split-string (concat (process-get process 'rest) output) "\n"))
         (rest (car (last lines))))
    (process-put process 'rest rest)
    (with-current-buffer (process-buffer process)
      (mapc #'a3s--show (butlast lines)))))

(defun a3s--ended (process _news)
  "Finish the page of PROCESS."
  (when (and (eq process a3s-process) (buffer-live-p (process-buffer process)))
    (with-current-buffer (process-buffer process)
      (a3s--over))))

(defun a3s--over ()
  "Note that no run is active any more."
  (setq a3s-running nil a3s--asked nil)
  (a3s--fresh)
  (a3s--add "\n"))

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
      ("permission_request"
       (setq a3s--asked (alist-get 'toolId event))
       (a3s--say "[%s] may it run? %s" tool (a3s--input (alist-get 'toolInput event)))
       (a3s--say "M-x a3s-answer: once, always or no"))
      ("notice" (a3s--say "%s" (alist-get 'text event)))
      ("control_rejected" (a3s--say "%s" (alist-get 'error event)))
      ("start" (setq a3s-running t))
      ("end" (a3s--over))
      ("error"
       (a3s--say "error: %s" (alist-get 'error event))
       (a3s--over))
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
