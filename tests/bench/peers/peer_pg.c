/* peer_pg.c - PostgreSQL over libpq, in pipeline mode.
 *
 *	--connect CONNINFO [--inserts | --window] [--keyed]
 *
 * One INSERT a transaction: each is followed by a sync point of its own, so that it commits by itself.
 *
 *	--inserts   what is in flight is one transaction of as many INSERTs
 *	--window    what is in flight is one INSERT of an array
 *	--keyed     each message has a random key, and one that is there already is passed over: the sender may
 *	            send again without its being stored twice, which is what Avvik promises
 *
 * With --inserts and --window the next begins when all is committed. The consumer reads in the order of the
 * ids, and stops before a gap: that is a transaction not yet committed.
 */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"

#define BYTEA 17
#define INT8 20
#define BYTEA_ARRAY 1001
#define UUID 2950
#define UUID_ARRAY 2951
#define KEY_SIZE 16
#define WINDOW_MAX 4096

/* A binary array of elements of one size: dimensions, no nulls, type of the elements, how many, lower bound; then
 * each with its size. */
#define ARRAY_HEAD 20

struct line {
	PGconn *connection;
	unsigned int publisher;
	uint64_t sent, synced, answered;
	char *keys, *bodies; /* the window: two binary arrays */
	unsigned int in_array;
};

static const char *const flags[] = {"inserts", "window", "keyed", NULL};
static bool inserts, window, keyed; /* as they are on the command line; set by words_read */

static bool lockstep(void)
{
	return inserts || window;
}

static void words_read(void)
{
	inserts = driver_word("inserts", NULL) != NULL;
	window = driver_word("window", NULL) != NULL;
	keyed = driver_word("keyed", NULL) != NULL;
}

static bool failed(PGconn *connection, const char *what)
{
	return driver_failed(what, PQerrorMessage(connection));
}

static bool run(PGconn *connection, const char *text)
{
	PGresult *result = PQexec(connection, text);
	ExecStatusType status = PQresultStatus(result);
	PQclear(result);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || failed(connection, text);
}

static PGconn *connected(void)
{
	PGconn *connection = PQconnectdb(driver_word("connect", ""));
	if (PQstatus(connection) == CONNECTION_OK)
		return connection;
	if (!driver_word("patience", NULL))
		failed(connection, "connect");
	PQfinish(connection);
	return NULL;
}

/* Both tables, since it is not said here which client comes. */
static bool prepare(void)
{
	PGconn *connection = connected();
	bool good = connection && run(connection, "DROP TABLE IF EXISTS message, keyed") &&
		    run(connection, "CREATE TABLE message (id bigserial PRIMARY KEY, body bytea NOT NULL)") &&
		    run(connection, "CREATE TABLE keyed (id bigserial PRIMARY KEY, body bytea NOT NULL, key "
				    "uuid NOT NULL UNIQUE)");
	PQfinish(connection);
	return good;
}

static PGresult *prepare_put(PGconn *connection)
{
	static const Oid arrays[] = {BYTEA_ARRAY, UUID_ARRAY}, ones[] = {BYTEA, UUID};
	static const char *const texts[2][2] = {
		{"INSERT INTO message (body) VALUES ($1)",
			"INSERT INTO keyed (body, key) VALUES ($1, $2) ON CONFLICT DO NOTHING"},
		{"INSERT INTO message (body) SELECT unnest($1::bytea[])",
			"INSERT INTO keyed (body, key) SELECT * FROM unnest($1::bytea[], $2::uuid[]) "
			"ON CONFLICT DO NOTHING"},
	};
	return PQprepare(connection, "put", texts[window][keyed], keyed ? 2 : 1, window ? arrays : ones);
}

static void *open_line(unsigned int publisher)
{
	struct line *line = calloc(1, sizeof *line);
	words_read();
	if (!line || !(line->bodies = malloc(ARRAY_HEAD + (size_t)WINDOW_MAX * (BODY_SIZE + 4))) ||
		!(line->keys = malloc(ARRAY_HEAD + (size_t)WINDOW_MAX * (KEY_SIZE + 4))))
		exit(1);
	line->publisher = publisher;
	line->connection = connected();
	if (!line->connection) {
		free(line->bodies);
		free(line->keys);
		free(line);
		return NULL;
	}
	PGresult *result = prepare_put(line->connection);
	if (PQresultStatus(result) != PGRES_COMMAND_OK || PQsetnonblocking(line->connection, 1) != 0 ||
		!PQenterPipelineMode(line->connection)) {
		failed(line->connection, "prepare");
		exit(1);
	}
	PQclear(result);
	return line;
}

static void put32(char *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof value);
}

/* As a random UUID would be: no two alike, in no order. (The finalizer of splitmix64.) */
static void key_of(unsigned int publisher, uint64_t number, char key[KEY_SIZE])
{
	uint64_t half[2] = {number * UINT64_C(0x9e3779b97f4a7c15), publisher + 1};
	for (int i = 0; i < 2; i++) {
		half[i] ^= half[0] >> 30;
		half[i] *= UINT64_C(0xbf58476d1ce4e5b9);
		half[i] ^= half[i] >> 27;
		half[i] *= UINT64_C(0x94d049bb133111eb);
		half[i] ^= half[i] >> 31;
	}
	memcpy(key, half, KEY_SIZE);
}

static bool put(struct line *line, const char *body, int body_size, const char *key, int key_size)
{
	const char *values[] = {body, key};
	int sizes[] = {body_size, key_size}, binary[] = {1, 1};
	return PQsendQueryPrepared(line->connection, "put", keyed ? 2 : 1, values, sizes, binary, 0) ||
	       failed(line->connection, "insert");
}

static bool sync_point(struct line *line)
{
	return PQpipelineSync(line->connection) || failed(line->connection, "insert");
}

static void element(char *array, unsigned int index, const void *from, size_t size)
{
	char *to = array + ARRAY_HEAD + (size_t)index * (size + 4);
	put32(to, (uint32_t)size);
	memcpy(to + 4, from, size);
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	const char *body = (const char *)driver_body(line->publisher, number);
	char key[KEY_SIZE];
	key_of(line->publisher, number, key);
	line->sent++;
	if (!window)
		return put(line, body, BODY_SIZE, key, KEY_SIZE) && (inserts || sync_point(line));
	if (line->in_array == WINDOW_MAX)
		return driver_failed("window", "too many in flight");
	element(line->keys, line->in_array, key, KEY_SIZE);
	element(line->bodies, line->in_array++, body, BODY_SIZE);
	return true;
}

static int array_end(char *array, uint32_t type, unsigned int count, size_t size)
{
	uint32_t head[] = {1, 0, type, count, 1};
	for (size_t i = 0; i < 5; i++)
		put32(array + 4 * i, head[i]);
	return (int)(ARRAY_HEAD + count * (size + 4));
}

static bool send_array(struct line *line)
{
	int bodies = array_end(line->bodies, BYTEA, line->in_array, BODY_SIZE);
	int keys = array_end(line->keys, UUID, line->in_array, KEY_SIZE);
	line->in_array = 0;
	return put(line, line->bodies, bodies, line->keys, keys);
}

static bool send_line(void *at)
{
	struct line *line = at;
	if (line->in_array && !send_array(line))
		return false;
	if (lockstep() && line->synced < line->sent) {
		if (!sync_point(line))
			return false;
		line->synced = line->sent;
	}
	return PQflush(line->connection) >= 0 || failed(line->connection, "send");
}

static bool take(void *at)
{
	struct line *line = at;
	if (!PQconsumeInput(line->connection))
		return failed(line->connection, "receive");
	while (!PQisBusy(line->connection) && line->answered < line->sent) {
		PGresult *result = PQgetResult(line->connection);
		if (!result) /* between two commands */
			continue;
		ExecStatusType status = PQresultStatus(result);
		PQclear(result);
		if (status == PGRES_COMMAND_OK)
			continue;
		if (status != PGRES_PIPELINE_SYNC)
			return failed(line->connection, "insert");
		/* The sync point's answer comes when the transaction is committed. */
		uint64_t until = lockstep() ? line->synced : line->answered + 1;
		while (line->answered < until)
			driver_acknowledged(line->publisher, line->answered++, true);
	}
	return true;
}

static struct pollfd wants(void *at)
{
	struct line *line = at;
	short events = POLLIN;
	if (PQflush(line->connection) == 1)
		events |= POLLOUT;
	return (struct pollfd){PQsocket(line->connection), events, 0};
}

static void close_line(void *at)
{
	struct line *line = at;
	PQfinish(line->connection);
	free(line->bodies);
	free(line->keys);
	free(line);
}

/* --- the consumer */

struct source {
	PGconn *connection;
	int64_t last;
};

static int64_t id_of(const PGresult *rows, int row)
{
	uint32_t half[2];
	memcpy(half, PQgetvalue(rows, row, 0), sizeof half);
	return (int64_t)((uint64_t)ntohl(half[0]) << 32 | ntohl(half[1]));
}

static void *consume(void)
{
	struct source *source = calloc(1, sizeof *source);
	Oid types[] = {INT8, INT8};
	if (!source || !(source->connection = connected()))
		exit(1);
	words_read();
	PGresult *result = PQprepare(source->connection, "next",
		keyed ? "SELECT id, body FROM keyed WHERE id > $1 ORDER BY id LIMIT $2"
		      : "SELECT id, body FROM message WHERE id > $1 ORDER BY id LIMIT $2",
		2, types);
	bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	if (!good) {
		failed(source->connection, "prepare");
		exit(1);
	}
	return source;
}

static bool receive(void *at, unsigned int room)
{
	struct source *source = at;
	char last[24], limit[24];
	const char *values[] = {last, limit};
	snprintf(last, sizeof last, "%lld", (long long)source->last);
	snprintf(limit, sizeof limit, "%u", room);
	PGresult *rows = PQexecPrepared(source->connection, "next", 2, values, NULL, NULL, 1);
	if (PQresultStatus(rows) != PGRES_TUPLES_OK)
		return failed(source->connection, "select");
	int count = PQntuples(rows), row = 0;
	for (; row < count && id_of(rows, row) == source->last + 1; row++) {
		source->last++;
		consumer_put(&source->last, sizeof source->last, PQgetvalue(rows, row, 1),
			(size_t)PQgetlength(rows, row, 1));
	}
	PQclear(rows);
	if (!row)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	return true;
}

static void leave(void *at)
{
	struct source *source = at;
	PQfinish(source->connection);
	free(source);
}

const struct peer peer = {
	.name = "pg",
	.flags = flags,
	.prepare = prepare,
	.open = open_line,
	.publish = publish,
	.send = send_line,
	.take = take,
	.wants = wants,
	.close = close_line,
	.lockstep = lockstep,
	.consume = consume,
	.receive = receive,
	.leave = leave,
};
