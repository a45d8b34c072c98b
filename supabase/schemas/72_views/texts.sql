-- Looking for a text in what steps say. Without case, as Unicode's simple lower case has it (the collation pg_c_utf8, whatever the
-- database's own): each character becomes one, so that a place in the lower case is a place in the text.

-- Where a step says a text: {field, before, found, after}, null: nowhere. `field`: the member of its content, or error, name, model
-- or agent; around what was found some characters, with ... where they are cut. `agent`: whose step it is. `needle`: the text in
-- lower case; `needle_in_json`: the same as JSON has it between its quotes. Called for each candidate of a search: first a cheap test
-- of the content's JSON, which may be of a member's name, then an exact look.
create function internal.match_in_step(step_id uuid, agent text, needle text, needle_in_json text, kept jsonb)
returns jsonb
language plpgsql stable set search_path = '' as $$
declare
  step public.steps;
  match jsonb;
begin
  select steps.* into step from public.steps where steps.id = match_in_step.step_id;
  if kept is not null then step := internal.shown_step(step, kept); end if;
  if position(needle_in_json in lower(step.content::text collate "pg_c_utf8")) > 0 then
    match := internal.match_within(step.content - 'messages_of_call', needle); -- which is read back as custom_object
  end if;
  if match is null
    and position(needle in lower(concat_ws(
      ' ', step.error ->> 'message', step.error ->> 'type', step.name, step.model, match_in_step.agent) collate "pg_c_utf8")) > 0 then
    match := internal.match_within(jsonb_build_object(
      'error', array[step.error ->> 'message', step.error ->> 'type'], 'name', step.name, 'model', step.model,
      'agent', match_in_step.agent), needle);
  end if;
  return match;
end $$;

-- The first text value in an object that has the needle, as in match_in_step: 40 characters before it, and 60 after it. (The time that
-- jsonb_path_query takes for many values grows with the square of their number; that of jsonb_path_query_array does not.)
create function internal.match_within(said jsonb, needle text) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  field text;
  value text;
  place integer;
  ends integer;
begin
  select member.key, inside.value into field, value
  from jsonb_each(match_within.said) as member
  cross join lateral jsonb_array_elements_text(
    jsonb_path_query_array(member.value, 'strict $.** ? (@.type() == "string")')) as inside (value)
  where position(needle in lower(inside.value collate "pg_c_utf8")) > 0
  limit 1;
  if not found then return null; end if;
  place := position(needle in lower(value collate "pg_c_utf8"));
  ends := place + length(needle);
  return jsonb_build_object(
    'field', field,
    'before', case when place > 41 then '...' else '' end || substr(value, greatest(place - 40, 1), place - greatest(place - 40, 1)),
    'found', substr(value, place, length(needle)),
    'after', substr(value, ends, 60) || case when length(value) >= ends + 60 then '...' else '' end);
end $$;
