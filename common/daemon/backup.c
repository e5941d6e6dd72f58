/* backup.c - --backup and --restore: the data, and the content keys apart from it
 *
 *	FOLDER/data   a consistent copy of the store
 *	FOLDER/keys   a copy of the key store: to be kept apart, and not for long
 *
 * The store is copied while it may be in use. The key store has one owner: when the daemon runs it is asked,
 * by an empty file in its state folder (AV_FILE_REQUEST), and copies its keys beside it (AV_FOLDER_KEYS_COPY)
 * within a second (watch.c).
 *
 * A restore never takes the place of keys that are there: they are never older than the data, and a backup's
 * keys would bring back what was erased since. The journal gets a new epoch, and JournalRestored as its next
 * event.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/backup.h"
#include "daemon/daemon_inner.h"
#include "daemon/folder.h"

#define WAIT_STEPS 150
#define WAIT_STEP_NS 100000000

static int say(const struct av_daemon *d, const char *what, const char *text)
{
	fprintf(stderr, "avvik-%s: %s: %s\n", d->service->name, what, text);
	return EXIT_TEMPFAIL;
}

/* --- the running daemon's side --- */

void backup_watch(struct av_daemon *d)
{
	char request[4096], copy[4096];
	snprintf(request, sizeof request, "%s/%s/" AV_FILE_REQUEST, d->settings->state, d->service->name);
	if (access(request, F_OK) < 0)
		return;
	snprintf(copy, sizeof copy, "%s/%s/" AV_FOLDER_KEYS_COPY, d->settings->state, d->service->name);
	folder_remove(copy);
	int status = av_keystore_copy(d->keys, copy);
	if (status < 0) {
		av_log(AV_LOG_ERROR, "the content keys cannot be copied", "status=%s",
			av_status_name(status));
		folder_remove(copy);
	} else {
		av_log(AV_LOG_INFO, "the content keys were copied for a backup", "copy=" AV_FOLDER_KEYS_COPY);
	}
	unlink(request);
}

/* --- backup --- */

static int keys_copy_ask(struct av_daemon *d, const char *to)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
	const char *request = av_state_path(d->settings, d->service->name, AV_FILE_REQUEST, d->arena);
	const char *copy = av_state_path(d->settings, d->service->name, AV_FOLDER_KEYS_COPY, d->arena);
	FILE *file = request && copy ? fopen(request, "we") : NULL;
	if (!file || fclose(file) != 0)
		return AV_IO;
	for (int i = 0; i < WAIT_STEPS && access(request, F_OK) == 0; i++)
		nanosleep(&step, NULL);
	if (access(request, F_OK) == 0) {
		unlink(request);
		return AV_TIMEOUT;
	}
	int status = folder_copy(copy, to);
	folder_remove(copy);
	return status;
}

static int keys_backup(struct av_daemon *d, const char *to)
{
	unsigned char master[AV_KEY_SIZE];
	const char *why = "", *path = av_key_path(d->settings, AV_FILE_MASTER, NULL, d->arena);
	const char *folder = av_state_path(d->settings, d->service->name, AV_FOLDER_KEYS, d->arena);
	if (!path || !folder)
		return AV_MEMORY;
	if (access(folder, F_OK) < 0)
		return AV_NOTHING;
	int status = av_key_file_load(path, master, sizeof master);
	if (status == AV_OK)
		status = av_keystore_open(folder, master, &d->keys_random, &d->keys, &why);
	av_wipe(master, sizeof master);
	if (status == AV_LOCKED)
		return keys_copy_ask(d, to);
	return status == AV_OK ? av_keystore_copy(d->keys, to) : status;
}

static int backup(struct av_daemon *d, const char *folder)
{
	const char *data = av_arena_printf(d->arena, "%s/" AV_FOLDER_DATA, folder);
	const char *keys = av_arena_printf(d->arena, "%s/" AV_FOLDER_KEYS, folder);
	struct av_position head = {0};
	struct av_txn *txn;
	if (!data || !keys || mkdir(folder, 0700) < 0)
		return say(d, folder, "the folder cannot be made: choose one that does not exist");
	/* Keys last: they must be at least as new as the data that they open. */
	int status = av_store_copy(d->store, data);
	if (status < 0)
		return say(d, data, av_status_text(status));
	status = keys_backup(d, keys);
	if (status < 0)
		return say(d, keys, av_status_text(status));
	if (av_txn_begin_read(d->store, &txn) == AV_OK) {
		(void)av_journal_head(txn, &head); /* only told, ignoring */
		av_txn_abort(&txn);
	}
	printf("%s: copied to %s, head about %llu\n", d->service->name, folder,
		(unsigned long long)head.sequence);
	return 0;
}

int backup_run(const struct av_service *service, const char *settings_path, const char *folder)
{
	struct av_daemon *d = calloc(1, sizeof *d);
	if (!d)
		return EXIT_SOFTWARE;
	int code = daemon_load(d, service, settings_path);
	if (!code)
		code = daemon_store_open(d, true);
	if (!code)
		code = backup(d, folder);
	daemon_free(d);
	return code;
}

/* --- restore --- */

/* META "restored": epoch 16, sequence u64, note. The next start journals it (recover.c). */
static int new_epoch(struct av_daemon *d)
{
	static const char note[] = "restored from a backup";
	unsigned char record[AV_ID_SIZE + 8 + sizeof note - 1];
	struct av_position head;
	struct av_txn *txn;
	int status = av_txn_begin_write(d->store, &txn);
	if (status < 0)
		return status;
	status = av_journal_head(txn, &head);
	if (status < 0) {
		av_txn_abort(&txn);
		return status;
	}
	memcpy(record, head.epoch.bytes, AV_ID_SIZE);
	av_put_u64(record + AV_ID_SIZE, head.sequence);
	memcpy(record + AV_ID_SIZE + 8, note, sizeof note - 1);
	av_put(txn, AV_TABLE_META, av_bytes_of("restored"), av_bytes(record, sizeof record));
	av_journal_new_epoch(txn, &d->random);
	status = av_txn_commit(&txn);
	if (status == AV_OK)
		printf("%s: restored, the journal goes on after %llu in a new epoch\n", d->service->name,
			(unsigned long long)head.sequence);
	return status;
}

static int store_open(struct av_daemon *d, const char *path, bool read_only, const char **ret_why)
{
	struct av_store_options options = {
		.path = path,
		.map_bytes = (size_t)d->settings->limits->map_megabytes * 1024 * 1024,
		.tables = d->service->tables,
		.table_count = d->service->table_count,
		.daemon = d->service->name,
		.instance = d->settings->instance,
		.stepped_clock = av_clock_is_stepped(&d->clock),
		.production = d->settings->production,
		.read_only = read_only,
		.now_ms = av_clock_now_ms(&d->clock),
	};
	return av_store_open(&options, &d->random, &d->store, ret_why);
}

/* Is a daemon using what stands there? An absent store is free, and a damaged one may be replaced. */
static int store_free(struct av_daemon *d, const char *data)
{
	const char *why = "";
	int status = access(data, F_OK) < 0 ? AV_OK : store_open(d, data, false, &why);
	av_store_close(&d->store);
	return status == AV_LOCKED ? say(d, data, why) : 0;
}

/* A copy beside the store, opened and in its new epoch, so that what takes the place of the store is whole.
 */
static int incoming_make(struct av_daemon *d, const char *from, const char *incoming)
{
	const char *why = "";
	/* What a restore that was cut short left there may be the store that it replaced: it is kept. */
	const char *left = av_arena_printf(d->arena, "%s.left-%lld", incoming, (long long)time(NULL));
	if (!left || (access(incoming, F_OK) == 0 && rename(incoming, left) < 0))
		return say(d, incoming, "what an earlier restore left there cannot be put aside");
	int status = folder_copy(from, incoming);
	if (status < 0)
		return say(d, incoming, av_status_text(status));
	/* A backup may have lain for years: every page of it is looked at before it takes the place of a store. */
	status = store_open(d, incoming, true, &why);
	av_store_close(&d->store);
	if (status == AV_OK)
		status = store_open(d, incoming, false, &why);
	if (status < 0)
		return say(d, from, why);
	status = new_epoch(d);
	av_store_close(&d->store);
	return status < 0 ? say(d, incoming, av_status_text(status)) : 0;
}

/* Whole or not at all: half a key store would hide that the backup has one. */
static int keys_restore(struct av_daemon *d, const char *from, const char *keys)
{
	const char *incoming = av_arena_printf(d->arena, "%s.incoming", keys);
	if (access(keys, F_OK) == 0 || access(from, F_OK) < 0)
		return AV_OK;
	if (!incoming)
		return AV_MEMORY;
	folder_remove(incoming);
	int status = folder_copy(from, incoming);
	return status == AV_OK && rename(incoming, keys) < 0 ? AV_IO : status;
}

static int restore(struct av_daemon *d, const char *folder)
{
	const char *from_data = av_arena_printf(d->arena, "%s/" AV_FOLDER_DATA, folder);
	const char *from_keys = av_arena_printf(d->arena, "%s/" AV_FOLDER_KEYS, folder);
	const char *own = av_arena_printf(d->arena, "%s/%s", d->settings->state, d->service->name);
	const char *data = av_state_path(d->settings, d->service->name, AV_FOLDER_DATA, d->arena);
	const char *keys = av_state_path(d->settings, d->service->name, AV_FOLDER_KEYS, d->arena);
	const char *marks = av_state_path(d->settings, d->service->name, AV_FILE_MARKS, d->arena);
	const char *incoming = data ? av_arena_printf(d->arena, "%s.incoming", data) : NULL;
	const char *replaced =
		data ? av_arena_printf(d->arena, "%s.replaced-%lld", data, (long long)time(NULL)) : NULL;
	if (!from_data || !from_keys || !own || !keys || !marks || !incoming || !replaced)
		return say(d, "restore", "out of memory");
	if (access(from_data, F_OK) < 0)
		return say(d, from_data, "there is no backup: give the folder that holds data/");
	int code = store_free(d, data);
	if (code)
		return code;
	mkdir(d->settings->state, 0700); /* there already, or folder_copy tells, ignoring */
	mkdir(own, 0700);
	code = incoming_make(d, from_data, incoming);
	if (code)
		return code;
	int status = keys_restore(d, from_keys, keys);
	if (status < 0)
		return say(d, keys, av_status_text(status));
	if (folder_replace(incoming, data, replaced) < 0)
		return say(d, incoming, "cannot take the place of the store");
	unlink(marks); /* of an item of the store that was replaced */
	return folder_sync(own) < 0 ? say(d, own, av_status_text(AV_IO)) : 0;
}

int restore_run(const struct av_service *service, const char *settings_path, const char *folder)
{
	struct av_daemon *d = calloc(1, sizeof *d);
	if (!d)
		return EXIT_SOFTWARE;
	int code = daemon_load(d, service, settings_path);
	if (!code)
		code = restore(d, folder);
	daemon_free(d);
	return code;
}
