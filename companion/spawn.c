/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in memory stand for its input and what it prints: none of them can fill up and
 * have both wait for each other. Nothing of the caller's environment goes along.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(const char *const *argv, const int fd[3]);
static char *content(int fd);

int spawn(const char *const *argv, const char *input, struct spawned *ret_spawned)
{
	static const char *const names[] = { "in", "out", "error" };
	struct spawned *s = ret_spawned;
	char *error = NULL;
	int fd[3];

	*s = (struct spawned){ 0 };
	for (int i = 0; i < 3; i++)
		fd[i] = memfd_create(names[i], MFD_CLOEXEC);
	if (input &&
	    (write(fd[0], input, strlen(input)) < 0 || lseek(fd[0], 0, SEEK_SET)))
		s->code = -errno;
	if (!s->code)
		s->code = run(argv, fd);
	s->out = content(fd[1]);
	error = content(fd[2]);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	if (error)
		error[strcspn(error, "\n")] = 0;
	if (s->code < 0)
		snprintf(s->error, sizeof(s->error), "%s: %s", argv[0],
			 strerror(-s->code));
	else if (error)
		snprintf(s->error, sizeof(s->error), "%s", error);
	free(error);
	return s->code;
}

void spawned_done(struct spawned *spawned)
{
	free(spawned->out);
	spawned->out = NULL;
}

static int run(const char *const *argv, const int fd[3])
{
	static const char *const places[] = { "/usr/sbin", "/sbin", "/usr/bin", "/bin" };
	char *env[] = { (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t actions;
	char path[PATH_MAX];
	int r = ENOENT, status;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	for (int i = 0; i < 3; i++)
		posix_spawn_file_actions_adddup2(&actions, fd[i], i);
	for (size_t i = 0; r == ENOENT && i < sizeof(places) / sizeof(*places); i++) {
		snprintf(path, sizeof(path), "%s/%s", places[i], argv[0]);
		r = posix_spawn(&pid, path, &actions, NULL,
				(char *const *)(uintptr_t)argv, env);
	}
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return -r;
	do {
		r = waitpid(pid, &status, 0);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static char *content(int fd)
{
	struct stat file;
	char *text;
	ssize_t n;

	if (fstat(fd, &file))
		file.st_size = 0;
	text = malloc((size_t)file.st_size + 1);
	if (!text)
		return NULL;
	n = pread(fd, text, (size_t)file.st_size, 0);
	text[n > 0 ? n : 0] = 0;
	return text;
}
