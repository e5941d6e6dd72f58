/* main.c - sim: one run from a seed, seeds for a time, or the proof that planted faults are found
 *
 *	sim --seed N [--steps M] [--verbose]        one run, told in one line; a fault ends it with code 1
 *	sim --seconds S [--from N] [--steps M]      seed after seed; each fourth one twice, and the journals
 *compared sim --mutations [--steps M]                 each planted fault must be found within some seeds sim
 *--seed N --mutate NAME                  one run with one of them
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS_DEFAULT 4000
#define MUTATION_SEEDS 12

static const struct {
	const char *name, *what;
} mutations[MUTATION_COUNT] = {
#define X(name, what) {#name, what},
	MUTATION_LIST(X)
#undef X
};

struct options {
	uint64_t seed, from;
	unsigned int steps, seconds;
	bool has_seed, planted, verbose;
	enum mutation mutation;
};

static void run(const struct options *o, uint64_t seed, unsigned char ret_hash[AV_HASH_SIZE])
{
	struct world *w = world_open(seed, o->steps, o->mutation, o->verbose);
	char hash[2 * AV_HASH_SIZE + 1];
	world_run(w);
	world_hash(w, ret_hash);
	av_hex(ret_hash, AV_HASH_SIZE, hash);
	printf("seed %llu: %u steps, %lld days, %zu events, %zu reports, %zu acts, %zu closed, %zu refused, "
	       "%zu repeats, "
	       "%zu "
	       "crashes, %zu cuts, %zu restores, %zu erasures, %zu quarantined, %zu full, %zu rungs, %zu "
	       "mails, %zu twice, %.12s\n",
		(unsigned long long)seed, w->steps, (long long)((w->now_ms - w->started_at_ms) / 86400000),
		w->count.events, w->count.reports, w->count.acts, w->count.closed, w->count.refusals,
		w->count.repeats, w->count.crashes, w->count.cuts, w->count.restores, w->count.erasures,
		w->count.quarantined, w->count.full, w->count.rungs, w->count.mails, w->count.duplicates,
		hash);
	fflush(stdout);
	world_close(&w);
}

/* In a process of its own, so that whatever happens to it is told with its seed. 0: all held. */
static int run_apart(const struct options *o, uint64_t seed, bool twice, bool silent)
{
	unsigned char first[AV_HASH_SIZE], second[AV_HASH_SIZE];
	int status = 0;
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		if (silent && !freopen("/dev/null", "w", stdout))
			_exit(2);
		run(o, seed, first);
		if (twice) {
			run(o, seed, second);
			if (memcmp(first, second, sizeof first) != 0) {
				printf("FAULT: the same seed gave two histories\n");
				fflush(stdout);
				_exit(1);
			}
		}
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 2;
	if (status != 0 && !silent)
		printf("FAILED%s: repeat it with: sim --seed %llu --steps %u%s%s\n",
			WIFSIGNALED(status) ? " (it crashed)" : "", (unsigned long long)seed, o->steps,
			o->mutation ? " --mutate " : "", o->mutation ? mutations[o->mutation].name : "");
	fflush(stdout);
	return status;
}

static int seeds(const struct options *o)
{
	time_t until = time(NULL) + o->seconds;
	uint64_t seed = o->from;
	for (; time(NULL) < until; seed++)
		if (run_apart(o, seed, seed % 4 == 0, false) != 0)
			return 1;
	printf("%llu seeds from %llu: all held\n", (unsigned long long)(seed - o->from),
		(unsigned long long)o->from);
	return 0;
}

static int planted(const struct options *o)
{
	struct options each = *o;
	int missed = 0;
	for (int m = 1; m < MUTATION_COUNT; m++) {
		uint64_t seed = o->from;
		each.mutation = (enum mutation)m;
		while (seed < o->from + MUTATION_SEEDS && run_apart(&each, seed, false, true) == 0)
			seed++;
		bool found = seed < o->from + MUTATION_SEEDS;
		missed += !found;
		printf("%-7s %-16s %s\n", found ? "found" : "MISSED", mutations[m].name, mutations[m].what);
		if (found) {
			printf("        ");
			fflush(stdout);
			(void)run_apart(&each, seed, false, false); /* to show by which invariant, ignoring */
		}
	}
	return missed ? 1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "sim --seed N | --seconds S [--from N] | --mutations   [--steps M] [--mutate NAME] "
			"[--verbose]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct options o = {.steps = STEPS_DEFAULT, .from = 1};
	unsigned char hash[AV_HASH_SIZE];
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(argv[i], "--verbose") == 0) {
			o.verbose = true;
			continue;
		}
		if (strcmp(argv[i], "--mutations") == 0) {
			o.planted = true;
			continue;
		}
		if (!value)
			return usage();
		i++;
		if (strcmp(argv[i - 1], "--seed") == 0) {
			o.seed = strtoull(value, NULL, 10);
			o.has_seed = true;
		} else if (strcmp(argv[i - 1], "--from") == 0) {
			o.from = strtoull(value, NULL, 10);
		} else if (strcmp(argv[i - 1], "--steps") == 0) {
			o.steps = (unsigned int)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i - 1], "--seconds") == 0) {
			o.seconds = (unsigned int)strtoul(value, NULL, 10);
		} else if (strcmp(argv[i - 1], "--mutate") == 0) {
			for (int m = 0; m < MUTATION_COUNT; m++)
				if (strcmp(mutations[m].name, value) == 0)
					o.mutation = (enum mutation)m;
		} else {
			return usage();
		}
	}
	if (o.planted)
		return planted(&o);
	if (o.seconds)
		return seeds(&o);
	if (!o.has_seed)
		return usage();
	run(&o, o.seed, hash);
	return 0;
}
