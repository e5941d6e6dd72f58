/* consumer.c - the consumer at the end, the same for every peer: each batch received is stored in LMDB,
 * message by message, with the position after the last, in one synced transaction; then the peer is told, or
 * asked for more.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"

#define BATCH 1024

static MDB_env *env;
static MDB_txn *txn;
static MDB_dbi events, positions;
static uint64_t stored, bytes, batches;
static unsigned char position[256];
static size_t position_size;

static void need(int error, const char *what)
{
	if (error) {
		driver_failed(what, mdb_strerror(error));
		exit(1);
	}
}

static void begin(void)
{
	need(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	if (!events) {
		need(mdb_dbi_open(txn, "events", MDB_CREATE | MDB_INTEGERKEY, &events), "events");
		need(mdb_dbi_open(txn, "positions", MDB_CREATE, &positions), "positions");
	}
}

void consumer_put(const void *at, size_t at_size, const void *body, size_t size)
{
	MDB_val key = {sizeof stored, &stored}, value = {size, (void *)(uintptr_t)body};
	need(at_size > sizeof position ? MDB_BAD_VALSIZE : 0, "position");
	if (!txn)
		begin();
	stored++;
	bytes += size;
	need(mdb_put(txn, events, &key, &value, MDB_APPEND), "put");
	memcpy(position, at, position_size = at_size);
}

static void commit(void)
{
	MDB_val key = {1, (void *)(uintptr_t) "p"}, value = {position_size, position};
	need(mdb_put(txn, positions, &key, &value, 0), "position");
	need(mdb_txn_commit(txn), "commit");
	txn = NULL;
	batches++;
}

/* Until `until` are stored in all. */
static bool store(void *source, uint64_t until)
{
	while (stored < until) {
		if (!peer.receive(source, BATCH))
			return false;
		if (!txn)
			continue;
		commit();
		if (peer.accept && !peer.accept(source, stored))
			return false;
	}
	return true;
}

int consumer_run(const char *folder, uint64_t before, uint64_t count)
{
	need(mdb_env_create(&env), "create");
	need(mdb_env_set_mapsize(env, (size_t)64 << 30), "map size");
	need(mdb_env_set_maxdbs(env, 2), "tables");
	need(mdb_env_open(env, folder, 0, 0600), folder);
	void *source = peer.consume ? peer.consume() : NULL;
	if (!source)
		return driver_failed("consume", "not possible"), 1;
	if (!store(source, before))
		return 1;
	bytes = batches = 0;
	printf("ready\n");
	fflush(stdout);
	if (!store(source, before + count))
		return 1;
	int64_t end = driver_now_us();
	printf("{\"stored\": %llu, \"bytes\": %llu, \"batches\": %llu, \"end_us\": %lld}\n",
		(unsigned long long)(stored - before), (unsigned long long)bytes, (unsigned long long)batches,
		(long long)end);
	peer.leave(source);
	mdb_env_close(env);
	return 0;
}
