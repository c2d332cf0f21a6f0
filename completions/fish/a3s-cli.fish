complete -c a3s-cli -w a3s
