"""What of `integrations/` runs here: with the programs that it is for."""
