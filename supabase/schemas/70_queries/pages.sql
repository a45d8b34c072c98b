-- Reading page by page. A page begins after the last row of the one before it (`query.after`, its position) and not at a number
-- of rows: it stays exact while rows are being inserted. Queries and exports read the same pages.

-- A page of the rows that a cursor gives as (view, moment, id), in their order: {rows: [view], next}, `next` being the position
-- to go on after, null at the end. It has no more than `wanted` rows, and no more than `bytes` of JSON unless its first row
-- alone has more. What does not fit is not even read.
create function internal.page_of(source refcursor, wanted integer, bytes integer) returns jsonb
language plpgsql set search_path = '' as $$
declare
  item record;
  size bigint := 0;
  views jsonb[] := '{}';
  last jsonb;
begin
  loop
    fetch page_of.source into item;
    if not found then
      last := null;
      exit;
    end if;
    size := size + octet_length(item.view::text);
    exit when cardinality(views) = wanted or (size > bytes and cardinality(views) > 0);
    views := array_append(views, item.view);
    last := jsonb_build_object('occurred_at', internal.timestamp_text(item.moment), 'id', item.id);
  end loop;
  close page_of.source;
  return jsonb_build_object('rows', to_jsonb(views), 'next', last);
end $$;

-- A page as the answer to a query, or a refusal where it had to end early: the API hands on no more than 16 MiB.
create function internal.page_answer(admission jsonb, page jsonb, wanted integer) returns jsonb
language plpgsql immutable set search_path = '' as $$
begin
  if page_answer.page -> 'next' <> 'null' and jsonb_array_length(page_answer.page -> 'rows') < wanted then
    return admission || internal.refusal('invalid_payload', 'limit: these are more than 16 MiB. Ask for fewer at a time.');
  end if;
  return admission || jsonb_build_object('data', page_answer.page);
end $$;

-- admit, for a page of an export: every page asks whether the token is still good, the first one counts.
create function internal.admit_page(payload jsonb) returns jsonb
language plpgsql set search_path = '' as $$
begin
  if admit_page.payload -> 'query' ? 'after' then return internal.identify(admit_page.payload); end if;
  return public.admit(admit_page.payload);
end $$;
