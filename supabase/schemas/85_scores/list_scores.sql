-- GET /scores. payload.query: {trace_id?, session_id?, step_id?, name?, source?, namespace?, start_date?, end_date?, limit,
-- after?}. payload.known: see unless_known. data: {rows: [score_view], next}, newest first, of the namespaces that the token may
-- use.
create function public.list_scores(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
declare
  query jsonb := list_scores.payload -> 'query';
  admission jsonb := public.admit(list_scores.payload);
  answer jsonb;
begin
  if query ? 'namespace' then admission := internal.in_namespace(admission, query ->> 'namespace'); end if;
  if admission ? 'error' then return admission; end if;
  answer := internal.page_answer(
    admission,
    internal.page_of_scores(
      (admission ->> 'tenant_id')::uuid, internal.namespaces_in_sight(admission, query ->> 'namespace'), query),
    (query ->> 'limit')::integer);
  if answer ? 'error' then return answer; end if;
  return internal.unless_known(admission, answer -> 'data', list_scores.payload);
end $$;

-- A page of the scores that match: {rows, next}. Planned anew for the filters that a call really has. Where there is one namespace,
-- that is said by `=`: an index gives rows in order for one value, not for an array of them.
create function internal.page_of_scores(owner_id uuid, namespace_ids bigint[], query jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_custom_plan as $$
declare
  kept jsonb := internal.kept(owner_id);
  source refcursor;
begin
  open source for
    select internal.score_view(scores, kept) as view, scores.created_at as moment, scores.id
    from public.scores
    where scores.tenant_id = owner_id
      and scores.namespace_id = any (namespace_ids)
      and (cardinality(namespace_ids) <> 1 or scores.namespace_id = namespace_ids[1])
      and (query ->> 'trace_id' is null or scores.trace_id = query ->> 'trace_id')
      and (query ->> 'session_id' is null or scores.session_id = query ->> 'session_id')
      and (query ->> 'step_id' is null or scores.step_id = (query ->> 'step_id')::uuid)
      and (query ->> 'name' is null or scores.name = query ->> 'name')
      and (query ->> 'source' is null or scores.source = query ->> 'source')
      and (query ->> 'start_date' is null or scores.created_at >= (query ->> 'start_date')::timestamptz)
      and (query ->> 'end_date' is null or scores.created_at <= (query ->> 'end_date')::timestamptz)
      and (query -> 'after' is null or (scores.created_at, scores.id)
        < ((query #>> '{after,occurred_at}')::timestamptz, (query #>> '{after,id}')::uuid))
      and (kept is null or internal.is_kept_score(kept, scores))
    order by scores.created_at desc, scores.id desc
    limit (query ->> 'limit')::integer + 1;
  return internal.page_of(source, (query ->> 'limit')::integer, 16 * 1024 * 1024);
end $$;

-- A score as clients get it: `value` is null once it was taken away, and what was not told is not there.
create function internal.score_view(score public.scores, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' as $$
begin
  if kept is not null and not internal.is_kept_with_content(kept, score.namespace_id, score.id) then
    score.text_value := null;
    score.comment := null;
    score.sealed := null;
  end if;
  return jsonb_strip_nulls(jsonb_build_object(
    'id', score.id,
    'namespace', (select namespaces.name from public.namespaces where namespaces.id = score.namespace_id),
    'trace_id', score.trace_id,
    'session_id', score.session_id,
    'step_id', score.step_id,
    'name', score.name,
    'comment', score.comment,
    'sealed', score.sealed,
    'source', score.source,
    'created_at', internal.timestamp_text(score.created_at)
  )) || jsonb_build_object('value', coalesce(
    to_jsonb(score.number_value), to_jsonb(score.boolean_value), to_jsonb(score.text_value)));
end $$;
