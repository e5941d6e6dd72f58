/* reload.c - the file of principals, read again without a restart; and signals
 *
 * The file is looked at every second and at SIGHUP. A table that can be read is in force at once, for
 * handshakes, messages, credits and subscriptions; the journal hears of it in the next turn. A faulty file,
 * or one that is gone for longer than an editor takes, changes nothing but the daemon's health.
 */
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/daemon_inner.h"

#define GONE_LOOKS 5 /* so many looks, a second apart: then it is no editor between two renames */

static bool file_changed(struct av_daemon *d)
{
	struct stat info;
	if (stat(d->settings->principals, &info) < 0)
		return ++d->principals_gone == GONE_LOOKS;
	bool changed =
		d->principals_gone >= GONE_LOOKS || d->principals_mtime.tv_sec != info.st_mtim.tv_sec ||
		d->principals_mtime.tv_nsec != info.st_mtim.tv_nsec ||
		d->principals_size != (uint64_t)info.st_size || d->principals_inode != (uint64_t)info.st_ino;
	d->principals_mtime.tv_sec = info.st_mtim.tv_sec;
	d->principals_mtime.tv_nsec = (int32_t)info.st_mtim.tv_nsec;
	d->principals_size = (uint64_t)info.st_size;
	d->principals_inode = (uint64_t)info.st_ino;
	d->principals_gone = 0;
	return changed;
}

/* The journal is told what differs from what it was told last; a change that still waits for its turn grows
 * into this one. */
static void tell(struct av_daemon *d, struct av_principals *table)
{
	struct av_arena *arena = av_arena_create(0);
	if (!arena)
		return;
	if (d->change_waits) {
		av_arena_destroy(&d->change_arena);
		av_principals_unref(&d->change_table);
	}
	av_principals_compare(d->principals_told, table, arena, &d->change);
	d->change_arena = arena;
	d->change_table = av_principals_ref(table);
	d->change_waits = true;
	loop_kick(d);
}

void principals_reload(struct av_daemon *d)
{
	struct av_principals *table = NULL;
	struct av_arena *arena = av_arena_create(0);
	struct av_faults faults;
	if (!arena)
		return;
	av_faults_init(&faults, arena);
	int status = av_principals_load(d->settings->principals, &faults, &table);
	if (d->principals_invalid && status == AV_OK)
		av_log(AV_LOG_INFO, "principals can be read again", "count=%zu", av_principals_count(table));
	d->principals_invalid = status < 0;
	if (status < 0) {
		const struct av_fault *first = faults.first;
		av_log(AV_LOG_ERROR, "principals cannot be read, those in force stay",
			"faults=%zu where=%s first=%s", faults.count, first ? first->path : "",
			first ? first->text : av_status_text(status));
	} else if (memcmp(av_principals_hash(table), av_principals_hash(d->principals), AV_HASH_SIZE) != 0) {
		struct av_principals *before = d->principals;
		av_log(AV_LOG_INFO, "principals changed", "count=%zu", av_principals_count(table));
		av_bus_set_principals(d->bus, table);
		d->principals = table;
		table = NULL;
		tell(d, d->principals);
		av_principals_unref(&before);
	}
	av_principals_unref(&table);
	av_arena_destroy(&arena);
}

void principals_watch(struct av_daemon *d)
{
	/* A change in the turn under way owns the names that it tells: the next one waits a second. */
	if (!d->change_in_turn && file_changed(d))
		principals_reload(d);
}

int principals_open(struct av_daemon *d, struct av_faults *faults)
{
	struct av_txn *txn;
	struct av_bytes known;
	(void)file_changed(d); /* what is read now is the state to compare with, ignoring */
	int status = av_principals_load(d->settings->principals, faults, &d->principals);
	if (status < 0)
		return status;
	status = av_txn_begin_read(d->store, &txn);
	if (status < 0)
		return status;
	bool same = av_get(txn, AV_TABLE_META, av_bytes_of("principals"), &known) == AV_OK &&
		    known.size == AV_HASH_SIZE &&
		    memcmp(known.data, av_principals_hash(d->principals), AV_HASH_SIZE) == 0;
	av_txn_abort(&txn);
	if (same)
		d->principals_told = av_principals_ref(d->principals);
	else /* changed while the daemon was away: which names differ is not known any more, all are told */
		tell(d, d->principals);
	return AV_OK;
}

/* --- signals --- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct av_daemon *d = handle->data;
	if (number != SIGHUP) {
		loop_drain(d);
		return;
	}
	notify_reloading();
	if (d->change_in_turn)
		d->principals_size = UINT64_MAX; /* the watch reads it in a second */
	else
		principals_reload(d);
	notify_state("READY=1\nSTATUS=ready");
}

int signals_open(struct av_daemon *d)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < AV_COUNT(numbers); i++) {
		if (uv_signal_init(&d->loop, &d->signals[i]) < 0)
			return AV_IO;
		d->signals[i].data = d;
		if (uv_signal_start(&d->signals[i], on_signal, numbers[i]) < 0)
			return AV_IO;
	}
	return AV_OK;
}
