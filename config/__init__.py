"""What an operator writes: one small file for the installation, one for each city, parsed once into frozen models."""
