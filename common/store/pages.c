/* pages.c - where the pages of a commit lie: together, and in a part of the file that is there already.
 *
 * Together. LMDB writes what it changes to pages that were given back, the lowest first. After some thousand
 * transactions those are single pages all over the file, and a commit of thirteen of them costs as much again
 * as one of thirteen in a row: each is a request of its own to the disk. While an old snapshot is held
 * nothing is given back, so pages are taken from the end, in a row; when it is let go they come back as they
 * were taken, in long runs. What that costs is bounded: a snapshot is let go when about PIN_PAGES were
 * written after it.
 *
 * Already there. A write behind the end of the file makes the file system commit its own journal as well,
 * which costs a small commit a fifth of its time. So the file is lengthened by zeros, a good deal at a time; the
 * next commit syncs them. When commits are large, writing as many bytes again costs more than it saves.
 *
 * Neither is done in a map that is small, or filled to the half. All of it belongs to whoever has the write
 * transaction.
 */
#include "store/store_internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN_PAGES 8192	 /* 32 MiB */
#define PAGES_A_COMMIT 8 /* besides one for each put: roots, LMDB's own */
#define AHEAD_LEAST ((uint64_t)256 * 1024)
#define AHEAD_MOST ((uint64_t)8 * 1024 * 1024)
#define LARGE_PUTS 256 /* of one commit: some fifty pages */

static void let_go(struct av_store *store)
{
	if (store->pin)
		mdb_txn_abort(store->pin);
	store->pin = NULL;
	atomic_store(&store->pin_id, 0);
}

static void hold(struct av_store *store)
{
	int rc;
	if (store->pin && store->pin_pages < PIN_PAGES)
		return;
	if (store->pin) {
		mdb_txn_reset(store->pin);
		rc = mdb_txn_renew(store->pin);
	} else {
		rc = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->pin);
		if (rc != 0)
			store->pin = NULL;
	}
	store->pin_pages = 0;
	if (rc != 0) /* no reader's place is free: slower, not wrong */
		let_go(store);
	else
		atomic_store(&store->pin_id, mdb_txn_id(store->pin));
}

/* By as much as was written since the last time, within bounds. What cannot be had is left to LMDB, which
 * finds out itself. */
static void lengthen(struct av_store *store, uint64_t used)
{
	static const char zeros[65536];
	struct stat st;
	int fd;
	/* As the last commit was, so will the next one be. */
	if (store->last_puts >= LARGE_PUTS || store->ahead_off || used + AHEAD_LEAST <= store->file_bytes)
		return;
	if (mdb_env_get_fd(store->env, &fd) != 0 || fstat(fd, &st) < 0)
		return;
	uint64_t size = (uint64_t)st.st_size, more = AV_MAX(used, store->file_used) - store->file_used;
	uint64_t want = AV_MAX(used, size) + AV_MIN(AV_MAX(2 * more, 4 * AHEAD_LEAST), AHEAD_MOST);
	for (uint64_t at = size; at < want && !store->ahead_off; at += sizeof zeros) {
		size_t part = (size_t)AV_MIN(want - at, (uint64_t)sizeof zeros);
		store->ahead_off = pwrite(fd, zeros, part, (off_t)at) != (ssize_t)part;
	}
	if (store->ahead_off && ftruncate(fd, (off_t)size) < 0)
		return; /* a few zeros stay behind the end: no harm */
	store->file_bytes = store->ahead_off ? size : want;
	store->file_used = used;
}

void store_pages_prepare(struct av_store *store)
{
	MDB_envinfo info;
	if (!store->page_size)
		return;
	mdb_env_info(store->env, &info);
	if (info.me_last_pgno + 2 * PIN_PAGES >= info.me_mapsize / store->page_size / 2) {
		let_go(store);
		return;
	}
	hold(store);
	lengthen(store, ((uint64_t)info.me_last_pgno + 1) * store->page_size);
}

void store_pages_count(struct av_store *store, size_t puts)
{
	store->pin_pages += puts + PAGES_A_COMMIT;
	store->last_puts = puts;
}

void store_pages_release(struct av_store *store)
{
	let_go(store);
}
