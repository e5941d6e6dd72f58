/* main.c - sim: one run from a seed, seeds for a time, or the proof that planted faults are found
 *
 *	sim --seed N                 one run, told in one line; a fault ends it with code 1
 *	sim --seconds S [--from N]   seed after seed; each fourth one twice, and the journals compared
 *	sim --seeds N [--from N]     so many of them
 *	sim --mutations [--from N]   each planted fault must be found within some seeds
 *	sim --shrink --seed N        a failing seed, made small
 *
 *	--steps M --reports R        how long, and how many reports at most; --large: both for months
 *	--year                       a year of one committee: few reports, and much is done with each
 *	--table                      afterwards: the rows of the state tables, and how often each was played; code 1 when an
 *	                             act that people do was never accepted
 *	--without KIND,…             kinds of trouble that do not come (sim --kinds lists them)
 *	--mutate NAME                with a planted fault
 *	--verbose                    told step by step
 *	--jobs J                     of --seconds, --seeds and --mutations: so many processes
 */
#include "shrink.h"
#include "people_inner.h"
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEPS_DEFAULT 4000
#define REPORTS_DEFAULT 180
#define STEPS_LARGE 60000
#define REPORTS_LARGE 3000
#define STEPS_YEAR 16000
#define REPORTS_YEAR 48
#define MUTATION_SEEDS 12

static const char *const kind_texts[KIND_COUNT] = {
#define X(kind, name, what) what,
	KIND_LIST(X)
#undef X
};
const char *const kind_names[KIND_COUNT] = {
#define X(kind, name, what) name,
	KIND_LIST(X)
#undef X
};
const char *const mutation_names[MUTATION_COUNT] = {
#define X(name, what) #name,
	MUTATION_LIST(X)
#undef X
};
static const char *const mutation_texts[MUTATION_COUNT] = {
#define X(name, what) what,
	MUTATION_LIST(X)
#undef X
};

struct options {
	struct shape shape;
	uint64_t seed, from;
	unsigned int seconds, jobs, seeds;
	bool has_seed, planted, shrink, kinds, table;
};

void run_here(uint64_t seed, const struct shape *shape, unsigned char ret_hash[AV_HASH_SIZE])
{
	struct world *w = world_open(seed, shape);
	char hash[2 * AV_HASH_SIZE + 1];
	world_run(w);
	world_hash(w, ret_hash);
	av_hex(ret_hash, AV_HASH_SIZE, hash);
	printf("seed %llu: %u steps, %lld days, %zu events, %zu reports, %zu acts, %zu closed, %zu refused, "
	       "%zu repeats, "
	       "%zu deaths, %zu power cuts, %zu disk faults, %zu cuts, %zu restores, %zu told, %zu erasures, "
	       "%zu quarantined, %zu full, %zu rungs, %zu mails, %zu twice, %.12s\n",
		(unsigned long long)seed, w->steps, (long long)((w->now_ms - w->started_at_ms) / 86400000),
		w->count.events, w->count.reports, w->count.acts, w->count.closed, w->count.refusals,
		w->count.repeats, w->count.crashes, w->count.power, w->count.disk, w->count.cuts,
		w->count.restores, w->count.told, w->count.erasures, w->count.quarantined, w->count.full,
		w->count.rungs, w->count.mails, w->count.duplicates, hash);
	fflush(stdout);
	world_close(&w);
}

static int failed(uint64_t seed, const struct shape *shape, const struct verdict *verdict)
{
	struct shape small = *shape;
	char text[600];
	run_command(text, seed, shape);
	printf("FAILED: repeat it with: %s\n", text);
	run_shrink(seed, &small, verdict);
	return 1;
}

/* One of `jobs` processes, each with every so many-th seed. */
static int some_seeds(const struct options *o, unsigned int job)
{
	time_t until = time(NULL) + o->seconds;
	uint64_t seed = o->from + job, count = 0;
	for (; o->seeds ? seed < o->from + o->seeds : time(NULL) < until; seed += o->jobs, count++) {
		struct verdict verdict = run_apart(seed, &o->shape, seed % 4 == 0, false);
		if (verdict.status != 0)
			return failed(seed, &o->shape, &verdict);
	}
	printf("%llu seeds from %llu: all held\n", (unsigned long long)count,
		(unsigned long long)o->from + job);
	return 0;
}

static int in_jobs(const struct options *o, int (*work)(const struct options *o, unsigned int job))
{
	int code = 0, status;
	fflush(stdout);
	for (unsigned int job = 1; job < o->jobs; job++)
		if (fork() == 0) {
			code = work(o, job);
			fflush(stdout);
			_exit(code);
		}
	code = work(o, 0);
	while (wait(&status) > 0)
		code |= status != 0;
	return code;
}

static int some_planted(const struct options *o, unsigned int job)
{
	struct shape each = o->shape;
	int missed = 0;
	for (unsigned int m = 1 + job; m < MUTATION_COUNT; m += o->jobs) {
		uint64_t seed = o->from;
		struct verdict verdict = {0};
		each.mutation = (enum mutation)m;
		for (; seed < o->from + MUTATION_SEEDS; seed++)
			if ((verdict = run_apart(seed, &each, false, true)).status != 0)
				break;
		missed += verdict.status == 0;
		if (verdict.status)
			printf("found  %-14s %s\n       seed %llu, step %u: %s\n", mutation_names[m],
				mutation_texts[m], (unsigned long long)seed, verdict.step, verdict.fault);
		else
			printf("MISSED %-14s %s\n", mutation_names[m], mutation_texts[m]);
		fflush(stdout);
	}
	return missed ? 1 : 0;
}

/* The seed, or else the first of some that fails. */
static int shrink(const struct options *o)
{
	uint64_t seed = o->has_seed ? o->seed : o->from;
	uint64_t last = o->has_seed ? seed : seed + MUTATION_SEEDS - 1;
	for (; seed <= last; seed++) {
		struct verdict verdict = run_apart(seed, &o->shape, false, true);
		if (verdict.status != 0)
			return failed(seed, &o->shape, &verdict);
	}
	printf("seed %llu holds: there is nothing to shrink\n", (unsigned long long)last);
	return 2;
}

static int tell_kinds(void)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		printf("%-12s %s\n", kind_names[kind], kind_texts[kind]);
	for (int m = 1; m < MUTATION_COUNT; m++)
		printf("%-16s %s\n", mutation_names[m], mutation_texts[m]);
	return 0;
}

static int usage(void)
{
	fprintf(stderr,
		"sim --seed N | --seconds S | --seeds N [--from N] [--jobs J] | --mutations | "
		"--shrink --seed N | "
		"--kinds\n"
		"    [--table] [--year] [--steps M] [--reports R] [--large] [--without KIND,...] [--mutate "
		"NAME] [--verbose]\n");
	return 2;
}

/* false: a name that is none. */
static bool take_kinds(const char *list, unsigned int *bits)
{
	while (*list) {
		size_t size = strcspn(list, ",");
		int kind = 0;
		while (kind < KIND_COUNT &&
			(strlen(kind_names[kind]) != size || strncmp(kind_names[kind], list, size) != 0))
			kind++;
		if (kind == KIND_COUNT)
			return false;
		*bits |= 1u << kind;
		list += size + (list[size] == ',');
	}
	return true;
}

static bool take_mutation(const char *name, enum mutation *ret_mutation)
{
	for (int m = 0; m < MUTATION_COUNT; m++)
		if (strcmp(mutation_names[m], name) == 0) {
			*ret_mutation = (enum mutation)m;
			return true;
		}
	return false;
}

static bool take_flag(struct options *o, const char *name)
{
	if (strcmp(name, "--large") == 0) {
		o->shape.steps = STEPS_LARGE;
		o->shape.reports = REPORTS_LARGE;
		return true;
	}
	if (strcmp(name, "--year") == 0) {
		o->shape.year = true;
		o->shape.steps = STEPS_YEAR;
		o->shape.reports = REPORTS_YEAR;
		return true;
	}
	bool *const flags[] = {&o->shape.verbose, &o->planted, &o->shrink, &o->kinds, &o->table};
	static const char *const names[] = {"--verbose", "--mutations", "--shrink", "--kinds", "--table"};
	for (size_t i = 0; i < AV_COUNT(names); i++)
		if (strcmp(name, names[i]) == 0)
			return *flags[i] = true;
	return false;
}

static bool take_value(struct options *o, const char *name, const char *value)
{
	unsigned long long number = strtoull(value, NULL, 10);
	if (strcmp(name, "--without") == 0)
		return take_kinds(value, &o->shape.without);
	if (strcmp(name, "--mutate") == 0)
		return take_mutation(value, &o->shape.mutation);
	if (strcmp(name, "--seed") == 0) {
		o->seed = number;
		o->has_seed = true;
	} else if (strcmp(name, "--from") == 0) {
		o->from = number;
	} else if (strcmp(name, "--steps") == 0) {
		o->shape.steps = (unsigned int)number;
	} else if (strcmp(name, "--reports") == 0) {
		o->shape.reports = (size_t)number;
	} else if (strcmp(name, "--seconds") == 0) {
		o->seconds = (unsigned int)number;
	} else if (strcmp(name, "--seeds") == 0) {
		o->seeds = (unsigned int)number;
	} else if (strcmp(name, "--jobs") == 0) {
		o->jobs = number ? (unsigned int)number : 1;
	} else {
		return false;
	}
	return true;
}

static int run(const struct options *o)
{
	unsigned char hash[AV_HASH_SIZE];
	if (o->kinds)
		return tell_kinds();
	if (o->planted)
		return in_jobs(o, some_planted);
	if (o->seconds || o->seeds)
		return in_jobs(o, some_seeds);
	if (o->shrink)
		return shrink(o);
	if (!o->has_seed)
		return usage();
	run_here(o->seed, &o->shape, hash);
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = {
		.shape = {.steps = STEPS_DEFAULT, .reports = REPORTS_DEFAULT}, .from = 1, .jobs = 1};
	for (int i = 1; i < argc; i++) {
		if (take_flag(&o, argv[i]))
			continue;
		if (i + 1 == argc || !take_value(&o, argv[i], argv[i + 1]))
			return usage();
		i++;
	}
	table_open();
	int code = run(&o);
	if (o.table) {
		const char *const *acts;
		size_t count = people_act_names(&acts);
		code |= table_tell(acts, count) ? 0 : 1;
	}
	return code;
}
