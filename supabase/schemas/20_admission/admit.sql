-- Who is asking, and may they pass: identify, then count_request.
create function public.admit(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.identify(admit.payload);
begin
  if admission ? 'error' then return admission; end if;
  return internal.count_request(admission, admit.payload);
end $$;

-- admit, for a request about one namespace: refuses forbidden where the token may not use it.
create function internal.admit_to_namespace(payload jsonb, namespace text) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return internal.in_namespace(public.admit(admit_to_namespace.payload), admit_to_namespace.namespace);
end $$;

-- admit, for a request that writes, takes away or changes rules.
create function internal.admit_writer(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  return internal.as_writer(public.admit(admit_writer.payload));
end $$;
