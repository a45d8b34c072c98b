-- What lists of steps show of what was said. Made when a step is stored, so that no list reads whole contents. Of what is encrypted,
-- the API makes it: functions/monkai-api/domain/preview.ts says the same.

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

-- The text in a value, whatever its shape: of a list its first (0) or last (-1) element, but a text before a picture; of an object the
-- member that says most. A model that asks for tools and says nothing asks for these. What has none of all that is its JSON.
create function internal.text_within(value jsonb, place integer) returns text
language plpgsql immutable set search_path = '' as $$
declare
  here jsonb := text_within.value;
  inside jsonb;
begin
  for depth in 1 .. 10 loop
    inside := case jsonb_typeof(here)
      when 'array' then
        case when here -> text_within.place ->> 'type' in ('text', 'input_text', 'output_text', 'message')
          or not coalesce(here -> text_within.place ? 'type', false) then here -> text_within.place
        else coalesce(internal.text_part(here, text_within.place), here -> text_within.place) end
      when 'object' then coalesce(
        nullif(here -> 'content', 'null'), nullif(here -> 'text', 'null'), nullif(here -> 'messages', 'null'),
        nullif(here -> 'message', 'null'), nullif(here -> 'choices', 'null'), nullif(here -> 'parts', 'null'),
        nullif(here -> 'prompt', 'null'), internal.asked_tools(here))
    end;
    exit when inside is null;
    here := inside;
  end loop;
  return here #>> '{}';
end $$;

-- The first (0) or last (-1) part of a message that is a text.
create function internal.text_part(parts jsonb, place integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  return jsonb_path_query_array(text_part.parts, '$[*] ? (@.type == "text" || @.type == "input_text" || @.type == "output_text")')
    -> text_part.place;
end $$;

-- Which tools a message of a model asks for, as OpenAI tells it: `calls: search, book`. Null: none.
create function internal.asked_tools(message jsonb) returns jsonb
language plpgsql immutable set search_path = '' as $$
declare
  names jsonb := case when jsonb_typeof(asked_tools.message -> 'tool_calls') = 'array' then jsonb_path_query_array(
    asked_tools.message, '$.tool_calls[*].function.name ? (@.type() == "string")') end;
begin
  if names is null or names = '[]' then return null; end if;
  return to_jsonb('calls: ' || array_to_string(array(select jsonb_array_elements_text(names)), ', '));
end $$;
