/* shrink.c - see shrink.h
 *
 * Fewer steps are the beginning of the same run, so the number is halved as long as the fault stays; then
 * kinds are switched off one by one, and after each that could be the number of steps is tried again. "The
 * same fault" is the same sentence, whatever numbers and ids stand in it.
 */
#include "shrink.h"

#include <ctype.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAULT_WORD "FAULT at step "

static void child(uint64_t seed, const struct shape *shape, bool twice, int to)
{
	unsigned char first[AV_HASH_SIZE], second[AV_HASH_SIZE];
	if (dup2(to, STDOUT_FILENO) < 0)
		_exit(2);
	run_here(seed, shape, first);
	if (twice) {
		run_here(seed, shape, second);
		if (memcmp(first, second, sizeof first) != 0) {
			printf(FAULT_WORD "0: the same seed gave two histories\n");
			fflush(stdout);
			_exit(1);
		}
	}
	_exit(0);
}

static void take_line(struct verdict *verdict, const char *line)
{
	unsigned int step;
	int at = 0;
	if (sscanf(line, FAULT_WORD "%u: %n", &step, &at) != 1 || at == 0)
		return;
	verdict->step = step;
	snprintf(verdict->fault, sizeof verdict->fault, "%s", line + at);
	verdict->fault[strcspn(verdict->fault, "\n")] = '\0';
}

struct verdict run_apart(uint64_t seed, const struct shape *shape, bool twice, bool silent)
{
	struct verdict verdict = {.status = 2};
	char line[4096];
	int pipes[2];
	fflush(stdout);
	if (pipe(pipes) < 0)
		return verdict;
	pid_t process = fork();
	if (process == 0) {
		close(pipes[0]);
		child(seed, shape, twice, pipes[1]);
	}
	close(pipes[1]);
	FILE *said = fdopen(pipes[0], "r");
	while (said && fgets(line, sizeof line, said)) {
		take_line(&verdict, line);
		if (!silent)
			fputs(line, stdout);
	}
	if (said)
		fclose(said);
	if (process < 0 || waitpid(process, &verdict.status, 0) < 0)
		verdict.status = 2;
	if (WIFSIGNALED(verdict.status))
		snprintf(verdict.fault, sizeof verdict.fault, "it ended by signal %d",
			WTERMSIG(verdict.status));
	fflush(stdout);
	return verdict;
}

void run_command(char ret_text[600], uint64_t seed, const struct shape *shape)
{
	int at = snprintf(ret_text, 600, "sim --seed %llu%s --steps %u --reports %zu",
		(unsigned long long)seed, shape->year ? " --year" : "", shape->steps, shape->reports);
	for (int kind = 0, count = 0; kind < KIND_COUNT; kind++)
		if (shape->without >> kind & 1)
			at += snprintf(ret_text + at, 600 - (size_t)at, "%s%s", count++ ? "," : " --without ",
				kind_names[kind]);
	if (shape->mutation)
		snprintf(ret_text + at, 600 - (size_t)at, " --mutate %s", mutation_names[shape->mutation]);
}

/* Words with a digit are ids, paths and numbers. */
static bool same_fault(const char *a, const char *b)
{
	for (;;) {
		size_t left = strcspn(a, " "), right = strcspn(b, " ");
		bool named = !left || strcspn(a, "0123456789") < left || strcspn(b, "0123456789") < right;
		if (!named && (left != right || strncmp(a, b, left) != 0))
			return false;
		a += left + (a[left] == ' ');
		b += right + (b[right] == ' ');
		if (!*a || !*b)
			return !*a && !*b;
	}
}

static bool still(
	uint64_t seed, const struct shape *shape, const struct verdict *first, unsigned int *ret_step)
{
	struct verdict again = run_apart(seed, shape, strstr(first->fault, "two histories") != NULL, true);
	*ret_step = again.step;
	return again.status != 0 && same_fault(first->fault, again.fault);
}

/* The step at which it shows is enough when it shows there; else as few as halving finds. */
static void shorten(uint64_t seed, struct shape *shape, const struct verdict *first, unsigned int step)
{
	struct shape each = *shape;
	unsigned int none = 0, some = shape->steps, ignored;
	each.steps = step;
	if (step > 0 && step < some && still(seed, &each, first, &ignored))
		some = step;
	while (some - none > AV_MAX(some / 50, 1u)) {
		each.steps = none + (some - none) / 2;
		if (still(seed, &each, first, &ignored))
			some = each.steps;
		else
			none = each.steps;
	}
	shape->steps = some;
}

void run_shrink(uint64_t seed, struct shape *shape, const struct verdict *verdict)
{
	char text[600];
	unsigned int step = verdict->step;
	printf("shrinking: %s\n", verdict->fault);
	fflush(stdout);
	shorten(seed, shape, verdict, step);
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		struct shape each = *shape;
		each.without |= 1u << kind;
		if (!(shape->without >> kind & 1) && still(seed, &each, verdict, &step))
			*shape = each;
	}
	shorten(seed, shape, verdict, step);
	run_command(text, seed, shape);
	printf("SMALLEST: %s\n", text);
	fflush(stdout);
}
