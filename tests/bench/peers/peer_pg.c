/* peer_pg.c - PostgreSQL over libpq, in pipeline mode.
 *
 *	--connect CONNINFO [--window]
 *
 * One INSERT a transaction: each is followed by a sync point of its own, so that it commits by itself.
 *--window: what is in flight is one INSERT of an array, one transaction, and the next begins when it is
 *committed. The consumer reads in the order of the ids, and stops before a gap: that is a transaction not yet
 *committed.
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
#define WINDOW_MAX 4096

struct line {
	PGconn *connection;
	unsigned int publisher;
	uint64_t sent, answered;
	char *array; /* the window: a binary array */
	unsigned int in_array;
};

static const char *const flags[] = {"window", NULL};

static bool window(void)
{
	static int known = -1;
	if (known < 0)
		known = driver_word("window", NULL) != NULL;
	return known;
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

static bool prepare(void)
{
	PGconn *connection = connected();
	bool good = connection && run(connection, "DROP TABLE IF EXISTS message") &&
		    run(connection, "CREATE TABLE message (id bigserial PRIMARY KEY, body bytea NOT NULL)");
	PQfinish(connection);
	return good;
}

static void *open_line(unsigned int publisher)
{
	struct line *line = calloc(1, sizeof *line);
	Oid array[] = {BYTEA_ARRAY}, one[] = {BYTEA};
	PGresult *result;

	if (!line || !(line->array = malloc(20 + (size_t)WINDOW_MAX * (BODY_SIZE + 4))))
		exit(1);
	line->publisher = publisher;
	line->connection = connected();
	if (!line->connection) {
		free(line->array);
		free(line);
		return NULL;
	}
	result = window() ? PQprepare(line->connection, "put",
				    "INSERT INTO message (body) SELECT unnest($1::bytea[])", 1, array)
			  : PQprepare(line->connection, "put", "INSERT INTO message (body) VALUES ($1)", 1,
				    one);
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

static bool insert(struct line *line, const char *value, int size)
{
	int binary = 1;
	return (PQsendQueryPrepared(line->connection, "put", 1, &value, &size, &binary, 0) &&
		       PQpipelineSync(line->connection)) ||
	       failed(line->connection, "insert");
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	const char *body = (const char *)driver_body(line->publisher, number);
	line->sent++;
	if (!window())
		return insert(line, body, BODY_SIZE);
	if (line->in_array == WINDOW_MAX)
		return driver_failed("window", "too many in flight");
	char *to = line->array + 20 + (size_t)line->in_array++ * (BODY_SIZE + 4);
	put32(to, BODY_SIZE);
	memcpy(to + 4, body, BODY_SIZE);
	return true;
}

static bool send_line(void *at)
{
	struct line *line = at;
	if (line->in_array) {
		/* dimensions, no nulls, type of the elements, how many, lower bound */
		uint32_t head[] = {1, 0, BYTEA, line->in_array, 1};
		for (unsigned int i = 0; i < 5; i++)
			put32(line->array + 4 * (size_t)i, head[i]);
		if (!insert(line, line->array, (int)(20 + line->in_array * (BODY_SIZE + 4))))
			return false;
		line->in_array = 0;
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
		uint64_t until = window() ? line->sent : line->answered + 1;
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
	free(line->array);
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
	PGresult *result = PQprepare(source->connection, "next",
		"SELECT id, body FROM message WHERE id > $1 ORDER BY id LIMIT $2", 2, types);
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
	.lockstep = window,
	.consume = consume,
	.receive = receive,
	.leave = leave,
};
