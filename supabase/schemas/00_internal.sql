-- What the API calls is in the schema `public`. What those functions share is in `internal`, which the REST layer does not
-- expose.
create schema internal;
