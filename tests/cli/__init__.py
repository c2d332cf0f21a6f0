"""Tests of single commands, through the binary."""
