-- DELETE /scores/{score_id}. payload.score_id: a UUID. data: the score that is gone. One of another tenant, or in a namespace that
-- the token may not use, looks like one that never was.
create function public.delete_score(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  admission jsonb := internal.admit_writer(delete_score.payload);
  kept jsonb := internal.kept((admission ->> 'tenant_id')::uuid);
  usable text[] := internal.usable_namespaces(admission);
  gone public.scores;
begin
  if admission ? 'error' then return admission; end if;
  delete from public.scores
  where scores.id = (delete_score.payload ->> 'score_id')::uuid and scores.tenant_id = (admission ->> 'tenant_id')::uuid
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
    and (kept is null or internal.is_kept_score(kept, scores))
  returning scores.* into gone;
  if not found then return admission || internal.refusal('not_found', 'There is no such score.'); end if;
  return admission || jsonb_build_object('data', internal.score_view(gone, kept));
end $$;
