/* watch.c - what is looked at every second: principals, feeds that wait, the watchdog, memory, health for the
 * log */
#include <malloc.h>

#include "daemon/backup.h"
#include "daemon/daemon_inner.h"

#define EVERY_MS 1000
#define HEALTH_EVERY 10u
#define READERS_EVERY 60u
#define TRIM_AFTER_MS 3000

/* The supervisor hears of us only while the writer gets on: a turn that hangs is a process that hangs. */
static void watchdog(struct av_daemon *d)
{
	uint64_t progress = av_turn_progress(d->turn);
	if (!d->busy || progress != d->watched_progress)
		notify_state("WATCHDOG=1");
	d->watched_progress = progress;
}

static void on_watch(uv_timer_t *timer)
{
	struct av_daemon *d = timer->data;
	d->ticks++;
	principals_watch(d);
	follow_watch(d);
	backup_watch(d);
	d->descriptors_out = !descriptors_left();
	watchdog(d);
	if (d->idle_since_ms && !d->busy && av_clock_monotonic_ms() - d->idle_since_ms >= TRIM_AFTER_MS) {
		d->idle_since_ms = 0;
		malloc_trim(0);
	}
	if (d->ticks % READERS_EVERY == 0)
		av_store_clear_readers(d->store);
	if (d->ticks % HEALTH_EVERY == 0)
		health_log(d);
	loop_plan(d);
}

int watch_open(struct av_daemon *d)
{
	return uv_timer_start(&d->watch_timer, on_watch, EVERY_MS, EVERY_MS) < 0 ? AV_IO : AV_OK;
}
