"""What `locus status` shows: what is asked (standing), how it looks (screen), how it is kept up to date (watch)."""
