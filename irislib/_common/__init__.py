"""What every package uses: paths, formatting, the texts of the pages, colours."""
