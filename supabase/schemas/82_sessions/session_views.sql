-- Sessions as clients get them, each with the figures of what it has in some namespaces.

create type internal.listed_session as (session_id text, namespace_ids bigint[]);

-- The views of these sessions, as an array in their order. What a session is named for, its own namespace and user, is told only
-- to who sees that namespace.
create function internal.session_views(owner_id uuid, listed internal.listed_session[]) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  kept jsonb := internal.kept(owner_id);
  used internal.used_session[] := internal.used_sessions(owner_id, listed);
begin
  return to_jsonb(array(
    select jsonb_build_object(
      'session_id', wanted.session_id,
      'namespace', (
        select namespaces.name from public.namespaces where namespaces.id = coalesce(home.namespace_id, wanted.namespace_ids[1])),
      'user_id', coalesce(home.user_id, figures.user_id),
      'created_at', internal.timestamp_text(coalesce(home.created_at, summary.began_at)),
      'last_activity_at', internal.timestamp_text(summary.last_activity_at),
      'active', summary.last_activity_at >= now() - coalesce(home.inactivity_timeout, 120) * interval '1 second',
      'agents', to_jsonb(figures.agents),
      'models', to_jsonb(figures.models),
      'trace_count', (
        select count(*) from public.traces
        where traces.tenant_id = owner_id and traces.session_id = wanted.session_id
          and traces.namespace_id = any (wanted.namespace_ids)),
      'step_count', summary.step_count,
      'error_count', summary.error_count,
      'input_tokens', figures.input_tokens,
      'cached_input_tokens', figures.cached_input_tokens,
      'output_tokens', figures.output_tokens,
      'reasoning_tokens', figures.reasoning_tokens,
      'cost', cost.cost,
      'duration_ms', round(extract(epoch from summary.ended_at - summary.began_at) * 1000)::bigint,
      'first_message', internal.first_words(summary.first_message_id, kept),
      'last_message', (
        select internal.shown_text(steps.id, steps.error, steps.preview) from public.steps
        where steps.id = summary.last_message_id
          and (kept is null or internal.is_kept_with_content(kept, steps.namespace_id, steps.id))),
      'scores', internal.scores_of_session(owner_id, wanted.namespace_ids, kept, wanted.session_id))
    from unnest(session_views.listed) with ordinality as wanted (session_id, namespace_ids, place)
    cross join lateral internal.summed_summary(owner_id, wanted.session_id, wanted.namespace_ids) as summary
    left join lateral (
      select sessions.* from public.sessions
      where sessions.tenant_id = owner_id and sessions.id = wanted.session_id
        and sessions.namespace_id = any (wanted.namespace_ids)
      offset 0
    ) as home on true
    join internal.costs_of(owner_id, array(
      select (line.place, line.model, line.day, line.uncached_input_tokens, line.cached_input_tokens, line.output_tokens,
              line.billed_steps, line.untold_steps)::internal.cost_line from unnest(used) as line)) as cost
      on cost.place = wanted.place
    join (
      select line.place, min(line.user_id) as user_id, sum(line.input_tokens) as input_tokens,
             sum(line.cached_input_tokens) as cached_input_tokens, sum(line.output_tokens) as output_tokens,
             sum(line.reasoning_tokens) as reasoning_tokens,
             coalesce(array_agg(distinct line.agent) filter (where line.agent is not null), '{}') as agents,
             coalesce(array_agg(distinct line.model) filter (where line.model is not null), '{}') as models
      from unnest(used) as line group by line.place
    ) as figures on figures.place = wanted.place
    order by wanted.place));
end $$;

-- What a session, by its place in a list, used of a model on a day, by agent and user.
create type internal.used_session as (
  place bigint, agent text, model text, user_id text, day date, input_tokens numeric, cached_input_tokens numeric,
  uncached_input_tokens numeric, output_tokens numeric, reasoning_tokens numeric, billed_steps numeric, untold_steps numeric);

-- Of each of these sessions what it used; of one that has used nothing a line of zeros.
create function internal.used_sessions(owner_id uuid, listed internal.listed_session[]) returns internal.used_session[]
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return array(
    select (
      wanted.place, line.agent, line.model, line.user_id, (line.begins at time zone 'UTC')::date,
      coalesce(sum(line.input_tokens), 0), coalesce(sum(line.cached_input_tokens), 0),
      coalesce(sum(line.uncached_input_tokens), 0), coalesce(sum(line.output_tokens), 0),
      coalesce(sum(line.reasoning_tokens), 0), coalesce(sum(line.billed_steps), 0), coalesce(sum(line.untold_steps), 0)
      )::internal.used_session
    from unnest(used_sessions.listed) with ordinality as wanted (session_id, namespace_ids, place)
    left join lateral (
      select usage.* from public.usage
      where usage.tenant_id = owner_id and usage.grain = 'session' and usage.session_id = wanted.session_id
        and usage.namespace_id = any (wanted.namespace_ids)
      offset 0
    ) as line on true
    group by wanted.place, line.agent, line.model, line.user_id, (line.begins at time zone 'UTC')::date);
end $$;

-- The summaries of a session in these namespaces, as one.
create function internal.summed_summary(
  owner_id uuid, session_id text, namespace_ids bigint[], out step_count bigint, out error_count bigint,
  out last_activity_at timestamptz, out began_at timestamptz, out ended_at timestamptz, out first_message_id uuid,
  out last_message_id uuid)
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  select sum(summary.step_count), sum(summary.error_count), max(summary.last_activity_at), min(summary.began_at),
         max(summary.ended_at),
         (array_agg(summary.first_message_id order by summary.first_message_at, summary.first_message_id))[1],
         (array_agg(summary.last_message_id
            order by summary.last_message_at desc nulls last, summary.last_message_id desc nulls last))[1]
  into step_count, error_count, last_activity_at, began_at, ended_at, first_message_id, last_message_id
  from public.session_summaries as summary
  where summary.tenant_id = owner_id and summary.session_id = summed_summary.session_id
    and summary.namespace_id = any (namespace_ids);
end $$;

-- How a conversation begins: of a model call what it was asked, of a record what it says.
create function internal.first_words(step_id uuid, kept jsonb) returns jsonb
language plpgsql stable set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
begin
  return (
    select internal.shown_text(steps.id, steps.error, case
      when steps.kind <> 'llm' or jsonb_typeof(steps.error) = 'string' then steps.preview
      else coalesce(
        internal.step_preview('llm', steps.name, jsonb_build_object('input', steps.content -> 'input')), steps.preview) end)
    from public.steps
    where steps.id = first_words.step_id
      and (kept is null or internal.is_kept_with_content(kept, steps.namespace_id, steps.id)));
end $$;

-- What a list shows of what a step says: the text, or, of an encrypted step, {id, sealed}.
create function internal.shown_text(step_id uuid, error jsonb, preview text) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if jsonb_typeof(shown_text.error) = 'string' then
    return jsonb_build_object('id', shown_text.step_id, 'sealed', shown_text.error);
  end if;
  return to_jsonb(shown_text.preview);
end $$;
