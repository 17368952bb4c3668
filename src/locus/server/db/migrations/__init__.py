"""The schema, one numbered SQL file per step: NNNN_what_it_does.sql. A file that was released is never edited."""
