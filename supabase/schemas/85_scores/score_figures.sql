-- What the scores of something say together: {name: {count, average}}. The average is that of the numbers, yes being 1 and no 0;
-- null where there are only texts.

-- Scores of one name, as they are added up: how many, and the sum and the number of those that have a value.
create type internal.counted_score as (name text, count bigint, sum numeric, valued bigint);

-- One score.
create function internal.counted_score(score public.scores) returns internal.counted_score
language plpgsql immutable set search_path = '' as $$
declare
  -- By its text: a cast from double precision to numeric keeps 15 digits, and not all.
  value numeric := coalesce(score.number_value::text::numeric, score.boolean_value::integer);
begin
  return (score.name, 1, value, num_nonnulls(value))::internal.counted_score;
end $$;

create function internal.score_figures(scores internal.counted_score[]) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return coalesce((
    select jsonb_object_agg(named.name, jsonb_build_object('count', named.count, 'average', named.average))
    from (
      select score.name, sum(score.count) as count, (sum(score.sum) / nullif(sum(score.valued), 0))::double precision as average
      from unnest(score_figures.scores) as score group by score.name
    ) as named), '{}');
end $$;

-- Of a session, its traces and its steps, as far as they are in these namespaces.
create function internal.scores_of_session(owner_id uuid, namespace_ids bigint[], kept jsonb, session_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_scores internal.counted_score[];
begin
  if not internal.has_scores(owner_id) then return '{}'; end if;
  found_scores := array(
    select internal.counted_score(scores) from public.scores
    where scores.tenant_id = owner_id and scores.session_id = scores_of_session.session_id
      and scores.namespace_id = any (scores_of_session.namespace_ids)
      and (kept is null or internal.is_kept_score(kept, scores))
    union all
    select score.counted
    from public.traces
    cross join lateral (
      select internal.counted_score(scores) as counted from public.scores
      where scores.tenant_id = owner_id and scores.trace_id = traces.trace_id
        and scores.namespace_id = any (scores_of_session.namespace_ids)
        and (kept is null or internal.is_kept_score(kept, scores))
      offset 0
    ) as score
    where traces.tenant_id = owner_id and traces.session_id = scores_of_session.session_id);
  if internal.has_scores_of_steps(owner_id) then
    found_scores := found_scores || array(
      select score.counted
      from internal.steps_of_session(owner_id, scores_of_session.session_id, null) as own (id)
      cross join lateral (
        select internal.counted_score(scores) as counted from public.scores
        where scores.tenant_id = owner_id and scores.step_id = own.id
          and scores.namespace_id = any (scores_of_session.namespace_ids)
          and (kept is null or internal.is_kept_score(kept, scores))
        offset 0
      ) as score);
  end if;
  return internal.score_figures(found_scores);
end $$;

-- Of a trace and its steps, as far as the token may use their namespaces.
create function internal.scores_of_trace(owner_id uuid, usable text[], kept jsonb, trace_id text) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  found_scores internal.counted_score[];
begin
  if not internal.has_scores(owner_id) then return '{}'; end if;
  found_scores := array(
    select internal.counted_score(scores) from public.scores
    where scores.tenant_id = owner_id and scores.trace_id = scores_of_trace.trace_id
      and (kept is null or internal.is_kept_score(kept, scores))
      and (usable is null or (
        select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable)));
  if internal.has_scores_of_steps(owner_id) then
    found_scores := found_scores || array(
      select score.counted
      from public.placements
      cross join lateral (
        select internal.counted_score(scores) as counted from public.scores
        where scores.tenant_id = owner_id and scores.step_id = placements.step_id
          and (kept is null or internal.is_kept_score(kept, scores))
          and (usable is null or (
            select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable))
        offset 0
      ) as score
      where placements.tenant_id = owner_id and placements.trace_id = scores_of_trace.trace_id);
  end if;
  return internal.score_figures(found_scores);
end $$;

-- Most tenants have no scores, or none of steps: then nothing is looked for step by step.
create function internal.has_scores(owner_id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from public.scores where scores.tenant_id = owner_id);
end $$;

create function internal.has_scores_of_steps(owner_id uuid) returns boolean
language plpgsql stable set search_path = '' set enable_seqscan = off as $$
begin
  return exists (select from public.scores where scores.tenant_id = owner_id and scores.step_id is not null);
end $$;
