/* base_clock.c - real, fixed and stepped time; the form of a log line */
#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/macros.h"
#include "base/status.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[96];

static int make_folder(void **state)
{
	AV_UNUSED(state);
	strcpy(folder, "/tmp/avvik-clock-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/clock", folder);
	return 0;
}

static int remove_folder(void **state)
{
	AV_UNUSED(state);
	unlink(path);
	return rmdir(folder); /* fails when a draft was left behind */
}

static void write_file(const char *content, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	close(fd);
}

static void the_real_clock_is_the_systems(void **state)
{
	struct av_clock clock = av_clock_real();
	int64_t before = (int64_t)time(NULL) * 1000, now = av_clock_now_ms(&clock);
	int64_t mono_ms = av_clock_monotonic_ms(), mono_us = av_clock_monotonic_us();

	AV_UNUSED(state);
	assert_in_range(now, before - 1000, before + 60000);
	assert_false(av_clock_is_stepped(&clock));
	assert_in_range(mono_us / 1000 - mono_ms, 0, 60000);
	assert_true(av_clock_monotonic_us() >= mono_us);
	av_clock_close(&clock);
}

static void a_fixed_clock_stands_still_until_moved(void **state)
{
	struct av_clock clock = av_clock_fixed(12345);

	AV_UNUSED(state);
	assert_int_equal(av_clock_now_ms(&clock), 12345);
	assert_int_equal(av_clock_now_ms(&clock), 12345);
	clock.fixed_ms = 12346;
	assert_int_equal(av_clock_now_ms(&clock), 12346);
	assert_false(av_clock_is_stepped(&clock));
}

static void a_reader_sees_each_step_of_the_driver(void **state)
{
	struct av_clock clock = av_clock_real();
	struct stat info;
	unsigned char content[8];
	int fd;

	AV_UNUSED(state);
	assert_int_equal(av_clock_open_stepped(path, &clock), AV_NOT_FOUND);
	assert_false(av_clock_is_stepped(&clock));
	umask(022);
	assert_int_equal(av_clock_step(path, INT64_C(1775001600000)), AV_OK);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0644);
	assert_int_equal(info.st_size, 8);
	assert_int_equal(av_clock_open_stepped(path, &clock), AV_OK);
	assert_true(av_clock_is_stepped(&clock));
	assert_true(av_clock_now_ms(&clock) == INT64_C(1775001600000));
	assert_int_equal(av_clock_step(path, INT64_C(1775001600001)), AV_OK);
	assert_true(av_clock_now_ms(&clock) == INT64_C(1775001600001));
	assert_int_equal(av_clock_step(path, INT64_C(1775001600001)), AV_OK);

	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, content, 8), 8);
	close(fd);
	assert_true(av_get_u64(content) == UINT64_C(1775001600001));
	av_clock_close(&clock);
	assert_false(av_clock_is_stepped(&clock));
}

static void the_driver_cannot_go_backwards(void **state)
{
	struct av_clock clock;

	AV_UNUSED(state);
	assert_int_equal(av_clock_step(path, -1), AV_INVALID);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(av_clock_step(path, 1000), AV_OK);
	assert_int_equal(av_clock_step(path, 999), AV_INVALID);
	assert_int_equal(av_clock_open_stepped(path, &clock), AV_OK);
	assert_int_equal(av_clock_now_ms(&clock), 1000);
	av_clock_close(&clock);
}

static void a_file_that_is_no_clock_is_refused_and_left_alone(void **state)
{
	static const size_t sizes[] = {0, 1, 7, 9, 4096};
	static const char zeroes[4096];
	struct av_clock clock;
	struct stat info;

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(sizes); i++) {
		write_file(zeroes, sizes[i]);
		assert_int_equal(av_clock_open_stepped(path, &clock), AV_DAMAGED);
		assert_int_equal(av_clock_step(path, 1000), AV_DAMAGED);
		assert_int_equal(stat(path, &info), 0);
		assert_int_equal(info.st_size, sizes[i]);
	}
	assert_int_equal(av_clock_open_stepped(folder, &clock), AV_DAMAGED);
	assert_int_equal(av_clock_step("/nonexistent/clock", 1000), AV_IO);
}

/* Each instant has eight equal bytes, so that a half-written one would show. */
static void two_drivers_and_a_reader_never_see_time_torn_or_backwards(void **state)
{
	const uint64_t unit = UINT64_C(0x0101010101010101);
	struct av_clock clock;
	pid_t drivers[2];
	int running = 2, result;
	uint64_t before = 0;

	AV_UNUSED(state);
	for (size_t i = 0; i < AV_COUNT(drivers); i++) {
		drivers[i] = fork();
		assert_true(drivers[i] >= 0);
		if (drivers[i] == 0) {
			int bad = 0;
			for (uint64_t k = 1; k <= 100; k++) {
				int status = av_clock_step(path, (int64_t)(k * unit));
				bad |= status != AV_OK && status != AV_INVALID;
			}
			_exit(bad);
		}
	}
	while (av_clock_open_stepped(path, &clock) == AV_NOT_FOUND)
		usleep(100);
	while (running > 0) {
		uint64_t now = (uint64_t)av_clock_now_ms(&clock);
		if (now % unit != 0 || now < before)
			fail_msg("got %llx after %llx", (unsigned long long)now, (unsigned long long)before);
		before = now;
		if (waitpid(-1, &result, WNOHANG) > 0) {
			assert_int_equal(result, 0);
			running--;
		}
	}
	assert_true((uint64_t)av_clock_now_ms(&clock) == 100 * unit);
	av_clock_close(&clock);
}

static int saved_stderr, captured;

static void capture(void)
{
	saved_stderr = dup(STDERR_FILENO);
	captured = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	dup2(captured, STDERR_FILENO);
}

static const char *release(void)
{
	static char text[8192];
	ssize_t size;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	lseek(captured, 0, SEEK_SET);
	size = read(captured, text, sizeof(text) - 1);
	close(captured);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void a_log_line_is_key_value_pairs_quoted_when_needed(void **state)
{
	AV_UNUSED(state);
	capture();
	av_log_open("workflow", AV_LOG_DEBUG);
	av_log(AV_LOG_WARN, "feed refused", "feed=%s sequence=%llu", "intake", 17ULL);
	av_log(AV_LOG_INFO, "plain", "%s", "");
	av_log(AV_LOG_ERROR, "odd \"values\"", "a=%s b=%s c=%s d=%s e=%d", "two words", "", "x\ny\"z\\",
		"k=v", -3);
	av_log(AV_LOG_DEBUG, "swedish", "unit=%s", "Äldreomsorg");
	assert_string_equal(release(),
		"level=warn daemon=workflow msg=\"feed refused\" feed=intake sequence=17\n"
		"level=info daemon=workflow msg=\"plain\"\n"
		"level=error daemon=workflow msg=\"odd \\\"values\\\"\" a=\"two words\" b=\"\" "
		"c=\"x\\x0ay\\\"z\\\\\" d=\"k=v\" e=-3\n"
		"level=debug daemon=workflow msg=\"swedish\" unit=Äldreomsorg\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
	AV_UNUSED(state);
	capture();
	av_log_open("intake", AV_LOG_WARN);
	av_log(AV_LOG_DEBUG, "no", "a=%d", 1);
	av_log(AV_LOG_INFO, "no", "a=%d", 1);
	av_log(AV_LOG_WARN, "yes", "a=%d", 1);
	av_log(AV_LOG_ERROR, "yes", "a=%d", 2);
	assert_string_equal(release(), "level=warn daemon=intake msg=\"yes\" a=1\n"
				       "level=error daemon=intake msg=\"yes\" a=2\n");
}

static void a_priority_stands_first_only_when_the_journal_reads(void **state)
{
	char stream[64];
	struct stat info;

	AV_UNUSED(state);
	capture();
	assert_int_equal(fstat(STDERR_FILENO, &info), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)info.st_dev,
		(unsigned long long)info.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	av_log_open("intake", AV_LOG_DEBUG);
	av_log(AV_LOG_DEBUG, "d", "%s", "");
	av_log(AV_LOG_INFO, "i", "%s", "");
	av_log(AV_LOG_WARN, "w", "%s", "");
	av_log(AV_LOG_ERROR, "e", "%s", "");
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)info.st_dev,
		(unsigned long long)info.st_ino + 1);
	setenv("JOURNAL_STREAM", stream, 1); /* inherited, of another stream */
	av_log_open("intake", AV_LOG_DEBUG);
	av_log(AV_LOG_ERROR, "e", "%s", "");
	unsetenv("JOURNAL_STREAM");
	assert_string_equal(release(), "<7>level=debug daemon=intake msg=\"d\"\n"
				       "<6>level=info daemon=intake msg=\"i\"\n"
				       "<4>level=warn daemon=intake msg=\"w\"\n"
				       "<3>level=error daemon=intake msg=\"e\"\n"
				       "level=error daemon=intake msg=\"e\"\n");
}

static void a_line_too_long_is_cut_and_still_one_whole_line(void **state)
{
	static char filler[5000];

	AV_UNUSED(state);
	for (size_t size = 1800; size < 2300; size++) {
		const char *text;
		size_t quotes = 0;

		memset(filler, size % 2 ? 'x' : '\n', size);
		filler[size] = '\0';
		filler[0] = ' ';
		capture();
		av_log_open("intake", AV_LOG_DEBUG);
		av_log(AV_LOG_WARN, "long", "v=%s w=%s", filler, filler);
		text = release();
		assert_true(strlen(text) <= 2048);
		assert_true(strchr(text, '\n') == text + strlen(text) - 1);
		for (const char *c = text; *c; c++)
			quotes += *c == '"';
		assert_int_equal(quotes % 2, 0);
	}
}

static void levels_have_names(void **state)
{
	enum av_log_level level = AV_LOG_DEBUG;

	AV_UNUSED(state);
	assert_int_equal(av_log_level_parse("error", &level), AV_OK);
	assert_int_equal(level, AV_LOG_ERROR);
	assert_int_equal(av_log_level_parse("debug", &level), AV_OK);
	assert_int_equal(level, AV_LOG_DEBUG);
	assert_int_equal(av_log_level_parse("Debug", &level), AV_INVALID);
	assert_int_equal(av_log_level_parse("", &level), AV_INVALID);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_real_clock_is_the_systems),
		cmocka_unit_test(a_fixed_clock_stands_still_until_moved),
		IN_FOLDER(a_reader_sees_each_step_of_the_driver),
		IN_FOLDER(the_driver_cannot_go_backwards),
		IN_FOLDER(a_file_that_is_no_clock_is_refused_and_left_alone),
		IN_FOLDER(two_drivers_and_a_reader_never_see_time_torn_or_backwards),
		IN_FOLDER(a_log_line_is_key_value_pairs_quoted_when_needed),
		IN_FOLDER(lines_below_the_level_are_not_written),
		IN_FOLDER(a_priority_stands_first_only_when_the_journal_reads),
		IN_FOLDER(a_line_too_long_is_cut_and_still_one_whole_line),
		cmocka_unit_test(levels_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
