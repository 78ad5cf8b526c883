"""REST, one file a subject: schema in, one call, schema out."""
