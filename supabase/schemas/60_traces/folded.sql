-- An admission, after its tenant's changes are folded: what is read next has all that was acknowledged. Where there are very
-- many (nobody has read for long, and the schedule does not run), some are folded for good, and the client is told to come back.
create function internal.folded(admission jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  if admission ? 'error' then return admission; end if;
  if internal.fold((admission ->> 'tenant_id')::uuid, 20000) then return admission; end if;
  return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
    'message', 'Much was stored that is being prepared for reading. Please try again in a moment.'));
end $$;
