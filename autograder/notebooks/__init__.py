"""What all stations share about notebooks."""
