"""What leaves the page: downloads and print."""
