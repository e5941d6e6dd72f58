/* health.c - how full the store is and who holds it back; copying it while in use; comparing two. */
#include "store/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_AT_FREE_PERCENT 75 /* below, free pages do not matter and are not counted */
#define FREE_DBI 0		/* LMDB's own tree of free pages: transaction -> count, page numbers */

static uint64_t count_free_pages(MDB_txn *mdb)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t total = 0;
	int rc = mdb_cursor_open(mdb, FREE_DBI, &cursor);
	if (rc != 0)
		return 0;
	while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
		size_t count = 0;
		if (value.mv_size >= sizeof count)
			memcpy(&count, value.mv_data, sizeof count);
		total += count;
	}
	mdb_cursor_close(cursor);
	return total;
}

/* LMDB does not show a writer its free pages: as they are when it begins. */
uint64_t store_free_pages(struct av_txn *txn)
{
	struct av_txn *own;
	if (!txn->write)
		return count_free_pages(txn->mdb);
	if (av_txn_begin_read(txn->store, &own) != AV_OK)
		return 0;
	uint64_t total = count_free_pages(own->mdb);
	av_txn_abort(&own);
	return total;
}

static uint64_t pages_in_file(const struct av_store *store)
{
	MDB_envinfo info;
	mdb_env_info(store->env, &info);
	return info.me_last_pgno + 1;
}

static uint64_t map_bytes(const struct av_store *store)
{
	MDB_envinfo info;
	mdb_env_info(store->env, &info);
	return info.me_mapsize;
}

unsigned int av_store_used_percent(struct av_txn *txn)
{
	const struct av_store *store = txn->store;
	uint64_t pages = pages_in_file(store), all = map_bytes(store) / store->page_size;
	if (pages * 100 / all >= LOOK_AT_FREE_PERCENT)
		pages -= AV_MIN(pages, store_free_pages(txn));
	return (unsigned int)(pages * 100 / all);
}

struct readers {
	uint64_t last, lag, pin;
	unsigned int count;
};

/* LMDB tells of its readers in lines of text only: process, thread, transaction or "-". */
static int on_reader(const char *line, void *context)
{
	struct readers *readers = context;
	unsigned long long process, thread, transaction;
	if (sscanf(line, "%llu %llx %llu", &process, &thread, &transaction) != 3)
		return 0;
	if (readers->pin != 0 && transaction == readers->pin) { /* our own doing */
		readers->pin = 0;
		return 0;
	}
	readers->count++;
	if (readers->last > transaction)
		readers->lag = AV_MAX(readers->lag, readers->last - transaction);
	return 0;
}

int av_store_health(struct av_store *store, struct av_store_health *ret_health)
{
	MDB_envinfo info;
	struct av_txn *txn;
	mdb_env_info(store->env, &info);
	struct readers readers = {.last = info.me_last_txnid, .pin = atomic_load(&store->pin_id)};
	mdb_reader_list(store->env, on_reader, &readers);
	int status = av_txn_begin_read(store, &txn);
	if (status != AV_OK)
		return status;
	uint64_t free_pages = store_free_pages(txn);
	av_txn_abort(&txn);
	uint64_t pages = info.me_last_pgno + 1;
	*ret_health = (struct av_store_health){
		.map_bytes = info.me_mapsize,
		.used_bytes = (pages - AV_MIN(pages, free_pages)) * store->page_size,
		.free_pages = free_pages,
		.oldest_reader_lag = readers.lag,
		.readers = readers.count,
	};
	return AV_OK;
}

void av_store_clear_readers(struct av_store *store)
{
	int dead;
	mdb_reader_check(store->env, &dead);
}

/* Under another name until it is whole and on disk. */
int av_store_copy(struct av_store *store, const char *path)
{
	char aside[STORE_PATH_MAX], file[STORE_PATH_MAX], above[STORE_PATH_MAX];
	if ((size_t)snprintf(aside, sizeof aside, "%s/copying", path) >= sizeof aside ||
		(size_t)snprintf(file, sizeof file, "%s/" STORE_DATA_FILE, path) >= sizeof file ||
		(size_t)snprintf(above, sizeof above, "%s/..", path) >= sizeof above)
		return AV_INVALID;
	if (mkdir(path, 0700) < 0)
		return errno == EEXIST ? AV_EXISTS : store_status(errno);
	int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc = fd < 0 ? errno : mdb_env_copyfd2(store->env, fd, 0);
	if (rc == 0 && fsync(fd) < 0)
		rc = errno;
	if (fd >= 0 && close(fd) < 0 && rc == 0)
		rc = errno;
	if (rc == 0 && rename(aside, file) < 0)
		rc = errno;
	if (rc != 0) {
		unlink(aside);
		rmdir(path);
		return store_status(rc);
	}
	int status = store_sync_folder(path);
	return status == AV_OK ? store_sync_folder(above) : status;
}

static bool same_record(const struct av_iter *a, const struct av_iter *b)
{
	return av_bytes_equal(a->key, b->key) && av_bytes_equal(a->value, b->value);
}

static bool comes_first(struct av_bytes a, struct av_bytes b)
{
	int order = memcmp(a.data, b.data, AV_MIN(a.size, b.size));
	return order < 0 || (order == 0 && a.size < b.size);
}

static int compare_table(
	struct av_txn *a, unsigned int table_a, struct av_txn *b, unsigned int table_b, char ret_key[129])
{
	struct av_bytes all = av_bytes("", 0);
	struct av_iter from_a = av_iter(a, table_a, all, all), from_b = av_iter(b, table_b, all, all);
	int status = AV_OK;
	while (status == AV_OK) {
		bool more_a = av_iter_next(&from_a), more_b = av_iter_next(&from_b);
		if (!more_a && !more_b)
			break;
		if (more_a && more_b && same_record(&from_a, &from_b))
			continue;
		struct av_bytes key =
			more_a && (!more_b || comes_first(from_a.key, from_b.key)) ? from_a.key : from_b.key;
		av_hex(key.data, AV_MIN(key.size, 64), ret_key);
		status = AV_CONFLICT;
	}
	av_iter_end(&from_a);
	av_iter_end(&from_b);
	if (a->error != AV_OK)
		return a->error;
	return b->error != AV_OK ? b->error : status;
}

static unsigned int find_table(const struct av_store *store, const char *name)
{
	unsigned int i = 0;
	while (i < store->table_count && strcmp(store->tables[i].name, name) != 0)
		i++;
	return i;
}

int av_store_compare(struct av_store *a, struct av_store *b, const char **ret_table, char ret_key[129])
{
	struct av_txn *in_a = NULL, *in_b = NULL;
	int status = av_txn_begin_read(a, &in_a);
	if (status == AV_OK)
		status = av_txn_begin_read(b, &in_b);
	for (unsigned int i = 0; i < a->table_count && status == AV_OK; i++) {
		unsigned int other = find_table(b, a->tables[i].name);
		if (!(a->tables[i].flags & AV_PROJECTION) || other == b->table_count)
			continue;
		status = compare_table(in_a, i, in_b, other, ret_key);
		if (status == AV_CONFLICT)
			*ret_table = a->tables[i].name;
	}
	av_txn_abort(&in_a);
	av_txn_abort(&in_b);
	return status;
}
