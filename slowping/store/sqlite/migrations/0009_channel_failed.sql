-- How many deliveries of each channel have failed and not been tried again since: to count
-- thousands whenever somebody looks takes longer than all other figures. The writer keeps it.

create table channel_failed (
    channel_id integer primary key references channel (id),
    deliveries integer not null
) strict;

insert into channel_failed (channel_id, deliveries)
select channel_id, count(*) from delivery where state = 'failed' group by channel_id;
