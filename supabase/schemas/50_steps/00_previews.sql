-- What lists of steps show of what was said. Made when a step is stored, so that no list reads whole contents.

-- What a step says, in one line of at most 120 characters: of a tool call the result, else the arguments; of a model call or a
-- span the last of its output, else of its input; of a record the first of its messages. Null: nothing, or it was taken away.
create function internal.step_preview(kind text, name text, content jsonb) returns text
language plpgsql immutable set search_path = '' as $$
declare
  said text := case
    when content is null then null
    when kind = 'handoff' then 'to: ' || name
    when kind = 'log' then content ->> 'message'
    when kind = 'message' then internal.text_within(content -> 'msg', 0)
    when kind = 'tool' then
      coalesce(internal.text_within(content -> 'result', -1), internal.text_within(content -> 'arguments', -1))
    else coalesce(internal.text_within(content -> 'output', -1), internal.text_within(content -> 'input', -1))
  end;
begin
  return nullif(btrim(left(btrim(regexp_replace(left(said, 1000), '\s+', ' ', 'g')), 120)), '');
end $$;

-- The text in a value, whatever its shape: of a list its first (0) or last (-1) element, of an object the member that says most.
-- What has no such member is its JSON.
create function internal.text_within(value jsonb, place integer) returns text
language plpgsql immutable set search_path = '' as $$
declare
  here jsonb := text_within.value;
  inside jsonb;
begin
  for depth in 1 .. 10 loop
    inside := case jsonb_typeof(here)
      when 'array' then here -> text_within.place
      when 'object' then coalesce(
        nullif(here -> 'content', 'null'), nullif(here -> 'text', 'null'), nullif(here -> 'messages', 'null'),
        nullif(here -> 'message', 'null'), nullif(here -> 'choices', 'null'), nullif(here -> 'parts', 'null'),
        nullif(here -> 'prompt', 'null'))
    end;
    exit when inside is null;
    here := inside;
  end loop;
  return here #>> '{}';
end $$;
