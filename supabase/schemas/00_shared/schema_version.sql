create function public.schema_version() returns bigint
language sql immutable set search_path = ''
return 1;
