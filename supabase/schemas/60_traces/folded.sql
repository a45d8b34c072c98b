-- An admission, after its tenant's changes are folded: what is read next has all that was acknowledged. In pieces: where there is
-- more than `patience` worth of it (nobody has read for long, and the schedule does not run), what was folded stays so, and the client
-- is told to come back. Call it in a statement of its own, so that what reads next sees what it has written.
create function internal.folded(admission jsonb, patience interval default '4 seconds') returns jsonb
language plpgsql set search_path = '' as $$
declare
  ends timestamptz := clock_timestamp() + folded.patience;
begin
  if admission ? 'error' then return admission; end if;
  loop
    if internal.fold((admission ->> 'tenant_id')::uuid, 5000) then return admission; end if;
    exit when clock_timestamp() > ends;
  end loop;
  return admission || jsonb_build_object('error', jsonb_build_object('code', 'internal_error', 'status', 503,
    'message', 'Much was stored that is being prepared for reading. Please try again in a moment.'));
end $$;
