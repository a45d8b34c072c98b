-- What becomes of scores when what they are about is emptied or deleted.

-- Takes away what was said in the scores of these traces and of their steps, as far as the token may use their namespaces.
-- Numbers, and yes or no, stay: they are figures.
create function internal.purge_scores(owner_id uuid, usable text[], trace_ids text[]) returns void
language plpgsql set search_path = '' set plan_cache_mode = force_generic_plan set enable_seqscan = off as $$
declare
  scored uuid[] := array(
    select about.id
    from unnest(purge_scores.trace_ids) as wanted (trace_id)
    cross join lateral (
      select scores.id from public.scores where scores.tenant_id = owner_id and scores.trace_id = wanted.trace_id
      union all
      select of_step.id
      from public.placements
      cross join lateral (
        select scores.id from public.scores where scores.tenant_id = owner_id and scores.step_id = placements.step_id
        offset 0
      ) as of_step
      where placements.tenant_id = owner_id and placements.trace_id = wanted.trace_id
      offset 0 -- one by one: the planner does not know how few they are
    ) as about);
begin
  update public.scores set text_value = null, comment = null, sealed = null
  where scores.id = any (scored) and num_nonnulls(scores.text_value, scores.comment, scores.sealed) > 0
    and (usable is null or (
      select namespaces.name from public.namespaces where namespaces.id = scores.namespace_id) = any (usable));
end $$;

-- Deletes the scores of a session, and of the steps and traces in it. Before its steps go, by which they are known.
create function internal.delete_scores_of_session(owner_id uuid, session_id text) returns void
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  step_ids uuid[] := array(
    select steps.id from public.steps
    where steps.tenant_id = owner_id and steps.session_id = delete_scores_of_session.session_id);
  trace_ids text[] := array(
    select steps.trace_id from public.steps where steps.id = any (step_ids) and steps.trace_id is not null
    union
    select placements.trace_id from public.placements where placements.step_id = any (step_ids));
begin
  delete from public.scores where scores.tenant_id = owner_id and scores.session_id = delete_scores_of_session.session_id;
  delete from public.scores where scores.tenant_id = owner_id and scores.step_id = any (step_ids);
  delete from public.scores where scores.tenant_id = owner_id and scores.trace_id = any (trace_ids);
end $$;
