"""What comes in while runs go on: the lines on stdin, and what they mean."""
