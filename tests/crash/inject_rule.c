/* inject_rule.c - what the rules say is to happen at a point, and how often each point was met */
#define _GNU_SOURCE
#include "inject.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RULES_MAX 32
#define POINTS_MAX 1024

/* The file of AVVIK_INJECT_COUNT: as many of these as there are points, then an empty name. */
struct counted {
	char name[POINT_MAX];
	uint64_t count;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rule rules[RULES_MAX];
static size_t rule_count;
static const char *rules_path;
static struct timespec rules_changed;
static struct counted *counted;

static int errno_of(const char *name)
{
	for (int number = 1; number < 134; number++) {
		const char *known = strerrorname_np(number);
		if (known && strcmp(known, name) == 0)
			return number;
	}
	fprintf(stderr, "inject: unknown errno %s\n", name);
	_exit(64);
}

static void rule_word(struct rule *rule, const char *word)
{
	char *end;
	if (strncmp(word, "nth=", 4) == 0) {
		rule->nth = strtoul(word + 4, &end, 10);
		rule->on = *end == '+';
	} else if (strcmp(word, "when=before") == 0) {
		rule->when = BEFORE;
	} else if (strcmp(word, "when=half") == 0) {
		rule->when = HALF;
	} else if (strcmp(word, "when=after") == 0) {
		rule->when = AFTER;
	} else if (strcmp(word, "do=kill") == 0) {
		rule->action = KILL;
	} else if (strncmp(word, "do=errno=", 9) == 0) {
		rule->action = ERRNO;
		rule->value = errno_of(word + 9);
	} else if (strncmp(word, "do=delay=", 9) == 0) {
		rule->action = DELAY;
		rule->value = atoi(word + 9);
	} else {
		fprintf(stderr, "inject: a rule says \"%s\": see inject.c\n", word);
		_exit(64);
	}
}

static void rules_read(char *text)
{
	char *rest, *more;
	rule_count = 0;
	for (char *line = strtok_r(text, ";\n", &rest); line && rule_count < RULES_MAX;
		line = strtok_r(NULL, ";\n", &rest)) {
		char *word = strtok_r(line, " \t", &more);
		if (!word)
			continue;
		struct rule *rule = &rules[rule_count++];
		*rule = (struct rule){.nth = 1};
		snprintf(rule->pattern, sizeof rule->pattern, "%s", word);
		while ((word = strtok_r(NULL, " \t", &more)))
			rule_word(rule, word);
	}
}

static void rules_look(void)
{
	static char text[RULES_MAX * 256];
	struct stat info;
	if (!rules_path)
		return;
	if (stat(rules_path, &info) < 0) {
		rule_count = 0;
		rules_changed = (struct timespec){0};
		return;
	}
	if (info.st_mtim.tv_sec == rules_changed.tv_sec && info.st_mtim.tv_nsec == rules_changed.tv_nsec)
		return;
	rules_changed = info.st_mtim;
	FILE *file = fopen(rules_path, "re");
	size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;
	if (file)
		fclose(file);
	text[size] = '\0';
	rules_read(text);
}

static void count(const char *name)
{
	for (size_t i = 0; counted && i < POINTS_MAX - 1; i++) {
		if (counted[i].name[0] == '\0')
			snprintf(counted[i].name, sizeof counted[i].name, "%s", name);
		if (strcmp(counted[i].name, name) == 0) {
			counted[i].count++;
			return;
		}
	}
}

bool rule_meets(const struct call *call, struct rule *ret_rule)
{
	char name[POINT_MAX];
	bool found = false;
	if ((!counted && !rules_path && rule_count == 0) || !point_names(call, name))
		return false;
	pthread_mutex_lock(&lock);
	rules_look();
	count(name);
	for (size_t i = 0; i < rule_count && !found; i++) {
		struct rule *rule = &rules[i];
		if (fnmatch(rule->pattern, name, 0) != 0 || (rule->when == HALF && !call->divisible))
			continue;
		rule->met++;
		found = rule->on ? rule->met >= rule->nth : rule->met == rule->nth;
		*ret_rule = *rule;
	}
	pthread_mutex_unlock(&lock);
	const char *hit = found ? getenv("AVVIK_INJECT_HIT") : NULL;
	int fd = hit ? open(hit, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	if (fd >= 0) {
		dprintf(fd, "%s\n", name);
		close(fd);
	}
	return found;
}

void rule_start(const char *daemon)
{
	const char *given = getenv("AVVIK_INJECT"), *folder = getenv("AVVIK_INJECT_COUNT");
	char path[4096], text[RULES_MAX * 256];

	if (given && *given == '@') {
		rules_path = given + 1;
	} else if (given) {
		snprintf(text, sizeof text, "%s", given);
		rules_read(text);
	}
	if (folder) {
		snprintf(path, sizeof path, "%s/%s", folder, daemon);
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		void *map = MAP_FAILED;
		if (fd >= 0 && ftruncate(fd, POINTS_MAX * sizeof *counted) == 0)
			map = mmap(NULL, POINTS_MAX * sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				0);
		if (fd >= 0)
			close(fd);
		counted = map == MAP_FAILED ? NULL : map;
	}
}
