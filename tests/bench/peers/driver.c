/* driver.c - publishers × in flight against one peer. Prints one line of JSON.
 *
 *	bench_NAME --publishers P --in-flight M (--count N | --seconds S) [--patience S] [the peer's words]
 *	bench_NAME --prepare 1 [--patience S] [the peer's words]	 makes the table, stream or queue
 *	bench_NAME --consume FOLDER --before B --count N [the peer's words]	takes B, says so, and N more
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver.h"

#define PUBLISHERS_MAX 64
#define SILENCE_MS 30000 /* without an acknowledgement: given up */

struct publisher {
	void *line;
	int64_t *sent; /* by number */
	uint64_t next, room, under_way;
};

static struct publisher publishers[PUBLISHERS_MAX];
static int64_t *took; /* latencies, in the order of the acknowledgements */
static uint64_t done, took_room, refused;
static char **words;

/* --- what peers use */

int64_t driver_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t driver_wall_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool is_flag(const char *name)
{
	for (const char *const *flag = peer.flags; flag && *flag; flag++)
		if (!strcmp(*flag, name))
			return true;
	return false;
}

const char *driver_word(const char *name, const char *otherwise)
{
	for (char **at = words; *at; at++) {
		if (strncmp(*at, "--", 2) != 0)
			continue;
		bool flag = is_flag(*at + 2);
		if (!strcmp(*at + 2, name))
			return flag ? "yes" : at[1] ? at[1] : otherwise;
		if (!flag && at[1])
			at++; /* a value, whatever it looks like */
	}
	return otherwise;
}

long driver_number(const char *name, long otherwise)
{
	const char *text = driver_word(name, NULL);
	return text ? strtol(text, NULL, 10) : otherwise;
}

bool driver_failed(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s: %s\n", peer.name, what, why);
	return false;
}

static void *grown(void *array, uint64_t *room, uint64_t need, size_t each)
{
	if (need < *room)
		return array;
	*room = *room ? *room * 2 : 65536;
	array = realloc(array, *room * each);
	if (!array)
		exit(1);
	return array;
}

void driver_acknowledged(unsigned int number_of_publisher, uint64_t number, bool good)
{
	struct publisher *publisher = &publishers[number_of_publisher];
	took = grown(took, &took_room, done, sizeof *took);
	took[done++] = driver_now_us() - publisher->sent[number];
	publisher->under_way--;
	refused += !good;
}

const unsigned char *driver_body(unsigned int publisher, uint64_t number)
{
	static uint64_t body[BODY_SIZE / sizeof(uint64_t)];
	uint64_t state = ((uint64_t)publisher << 48 ^ number) * 0x9e3779b97f4a7c15 + 1;
	body[0] = number;
	body[1] = publisher;
	for (size_t i = 2; i < BODY_SIZE / sizeof *body; i++) { /* noise: nobody gains by compressing */
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		body[i] = state;
	}
	return (const unsigned char *)body;
}

/* --- the loop */

static bool wait_for_any(unsigned int count, int timeout_ms)
{
	static void *lines[PUBLISHERS_MAX];
	static struct pollfd polls[PUBLISHERS_MAX];
	for (unsigned int i = 0; i < count; i++)
		lines[i] = publishers[i].line;
	if (peer.wait)
		return peer.wait(lines, count, timeout_ms);
	for (unsigned int i = 0; i < count; i++)
		polls[i] = peer.wants(lines[i]);
	return poll(polls, count, timeout_ms) >= 0 || errno == EINTR;
}

/* Publishes what may be in flight. `left`: how many may still be begun in all. */
static bool fill(unsigned int of, uint64_t in_flight, uint64_t *left)
{
	struct publisher *publisher = &publishers[of];
	if (publisher->under_way >= in_flight || (publisher->under_way && peer.lockstep && peer.lockstep()))
		return !peer.send || peer.send(publisher->line);
	while (publisher->under_way < in_flight && *left) {
		publisher->sent =
			grown(publisher->sent, &publisher->room, publisher->next, sizeof *publisher->sent);
		publisher->sent[publisher->next] = driver_now_us();
		publisher->under_way++;
		(*left)--;
		if (!peer.publish(publisher->line, publisher->next++))
			return false;
	}
	return !peer.send || peer.send(publisher->line);
}

static bool drive(unsigned int count, uint64_t in_flight, uint64_t left, int64_t until_us)
{
	uint64_t under_way, before = 0;
	int64_t heard_us = driver_now_us();
	do {
		under_way = 0;
		if (driver_now_us() >= until_us)
			left = 0;
		for (unsigned int i = 0; i < count; i++) {
			if (!fill(i, in_flight, &left))
				return false;
			under_way += publishers[i].under_way;
		}
		if (!under_way)
			break;
		if (!wait_for_any(count, 1000))
			return driver_failed("wait", strerror(errno));
		for (unsigned int i = 0; i < count; i++)
			if (publishers[i].under_way && !peer.take(publishers[i].line))
				return false;
		if (done != before)
			heard_us = driver_now_us();
		else if (driver_now_us() - heard_us > (int64_t)SILENCE_MS * 1000)
			return driver_failed("wait", "no acknowledgement for 30 s");
		before = done;
	} while (1);
	return true;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static bool open_all(unsigned int count, int64_t patience_us)
{
	int64_t until_us = driver_now_us() + patience_us;
	for (unsigned int i = 0; i < count; i++) {
		while (!(publishers[i].line = peer.open(i))) {
			if (driver_now_us() >= until_us)
				return driver_failed("open", "no connection");
			nanosleep(&(struct timespec){0, 2000000}, NULL);
		}
	}
	return true;
}

static bool prepare(int64_t patience_us)
{
	int64_t until_us = driver_now_us() + patience_us;
	while (peer.prepare && !peer.prepare()) {
		if (driver_now_us() >= until_us)
			return false;
		nanosleep(&(struct timespec){0, 100000000}, NULL);
	}
	return true;
}

int main(int argc, char **argv)
{
	(void)argc;
	words = argv + 1;
	signal(SIGPIPE, SIG_IGN);
	long count = driver_number("count", 0), seconds = driver_number("seconds", 0);
	long in_flight = driver_number("in-flight", 1), many = driver_number("publishers", 1);
	int64_t patience_us = driver_number("patience", 0) * 1000000;
	if (driver_word("prepare", NULL))
		return prepare(patience_us) ? 0 : 1;
	if (driver_word("consume", NULL))
		return consumer_run(
			driver_word("consume", NULL), (uint64_t)driver_number("before", 0), (uint64_t)count);
	if (many < 1 || many > PUBLISHERS_MAX || in_flight < 1 || count < 0 || (!count && seconds < 1)) {
		fprintf(stderr, "usage: --publishers 1 to %d, --in-flight, and --count or --seconds\n",
			PUBLISHERS_MAX);
		return 2;
	}
	if (!open_all((unsigned int)many, patience_us))
		return 1;
	int64_t start = driver_now_us(), wall = driver_wall_us();
	if (!drive((unsigned int)many, (uint64_t)in_flight, count ? (uint64_t)count : UINT64_MAX,
		    count ? INT64_MAX : start + seconds * 1000000))
		return 1;
	int64_t end = driver_now_us(), wall_end = driver_wall_us();
	for (long i = 0; i < many; i++) {
		peer.close(publishers[i].line);
		free(publishers[i].sent);
	}
	qsort(took, (size_t)done, sizeof *took, compare);
	printf("{\"count\": %llu, \"publishers\": %ld, \"in_flight\": %ld, \"seconds\": %.4f, "
	       "\"per_second\": %.0f, "
	       "\"median_us\": %lld, \"p99_us\": %lld, \"refused\": %llu, \"begin_us\": %lld, \"end_us\": "
	       "%lld, "
	       "\"wall_begin_us\": %lld, \"wall_end_us\": %lld}\n",
		(unsigned long long)done, many, in_flight, (double)(end - start) / 1e6,
		(double)done * 1e6 / (double)(end - start + !(end - start)), (long long)took[done / 2],
		(long long)took[done * 99 / 100], (unsigned long long)refused, (long long)start,
		(long long)end, (long long)wall, (long long)wall_end);
	free(took);
	return refused ? 3 : 0;
}
