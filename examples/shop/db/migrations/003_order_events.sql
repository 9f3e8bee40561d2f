-- One row per status an order has had. The API streams this table, so it must
-- grow by itself whoever changes the order: the API (TypeScript) or the worker
-- (Python). Hence triggers.
create table order_events (
  seq integer primary key autoincrement,
  order_id integer not null references orders (id) on delete cascade,
  status text not null,
  at text not null
) strict;

create trigger order_placed after insert on orders
begin
  insert into order_events (order_id, status, at)
  values (new.id, new.status, new.updated_at);
end;

create trigger order_moved after update of status on orders
when old.status <> new.status
begin
  insert into order_events (order_id, status, at)
  values (new.id, new.status, new.updated_at);
end;
