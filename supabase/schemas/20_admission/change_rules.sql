-- What holds for a whole tenant: its anonymization rules, its model prices, its retention. Each has a version.

-- admit, for a request that changes it: refuses forbidden for a token that is bound to namespaces. `what`: as in `the model prices`.
create function internal.admit_to_change(payload jsonb, what text) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(admit_to_change.payload);
begin
  if not admission ? 'error' and exists (
    select from public.tracer_tokens
    where tracer_tokens.id = (admission ->> 'token_id')::uuid and tracer_tokens.namespaces is not null) then
    return admission || internal.refusal('forbidden', format(
      'This tracer token is bound to namespaces: it may read %s, but not change what holds for all of them.', what));
  end if;
  return admission;
end $$;

-- The admission; with status 409, and the version that there is, where the client expects another. By a caller who holds the lock
-- of what is changed: of two that expect the same version, the second finds the first.
create function internal.at_version(admission jsonb, what text, version integer, expected_version text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  version := coalesce(version, 0);
  if coalesce(at_version.expected_version::integer, version) = version then return admission; end if;
  return admission || jsonb_build_object('error', jsonb_build_object(
    'code', 'bad_request', 'status', 409, 'version', version,
    'message', format('By now, version %s of %s holds, and not the expected_version %s. Read them and try again.',
                      version, what, at_version.expected_version)));
end $$;
