-- When a breaker was opened. What a far side has asked for has no such moment.

alter table hold add column since integer;
