/* SPDX-License-Identifier: MIT */
/*
 * A BPF iterator over all tasks, which writes those that are in a Landlock domain (record.h).
 * Compiled by clang for the BPF machine, loaded by libbpf, which corrects each offset to those of
 * the running kernel: the structs here name only what is read.
 *
 * A domain may be freed while it is read: its memory is not guarded by RCU, but credentials are,
 * and they hold the domain. So a task's credentials are compared at the end; where they changed,
 * the reader is told so and asks again. Nothing that is read here can fault.
 */
#include "observe/bpf/record.h"

#define SEC(name)	    __attribute__((section(name), used))
#define KERNEL		    __attribute__((preserve_access_index))
#define FIELD_EXISTS(field) __builtin_preserve_field_info(field, 2 /* BPF_FIELD_EXISTS */)
#define TYPE_SIZE(type)	    __builtin_preserve_type_info(*(type *)0, 1 /* BPF_TYPE_SIZE */)

/* ------------------------------------------------------------- the kernel's own */

struct seq_file;

struct hlist_head {
	void *first;
} KERNEL;

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
} KERNEL;

#define KIND_PROCESS 1 /* PIDTYPE_TGID */

struct pid {
	unsigned int level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
} KERNEL;

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
	void *security;
} KERNEL;

struct file {
	struct cred *f_cred;
} KERNEL;

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} KERNEL;

struct files_struct {
	struct fdtable *fdt;
} KERNEL;

struct task_struct {
	struct pid *thread_pid;
	struct files_struct *files;
	struct task_struct *group_leader, *real_parent;
	struct cred *cred;
	uint64_t start_boottime;
	char comm[16];
} KERNEL;

struct bpf_iter_meta {
	struct seq_file *seq;
	uint64_t seq_num;
} KERNEL;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} KERNEL;

struct landlock_details {
	struct pid *pid;
	unsigned int uid;
	char comm[16];
	char exe_path[1];
} KERNEL;

typedef struct {
	int64_t counter;
} atomic64_t;

enum landlock_log_status { LANDLOCK_LOG_PENDING };

struct landlock_hierarchy {
	struct landlock_hierarchy *parent;
	enum landlock_log_status log_status;
	atomic64_t num_denials;
	uint64_t id;
	struct landlock_details *details;
} KERNEL;

/* The domain of a task is of the first type; the second is what others call it. */
struct landlock_ruleset {
	struct landlock_hierarchy *hierarchy;
} KERNEL;

struct landlock_domain {
	struct landlock_hierarchy *hierarchy;
} KERNEL;

struct landlock_cred_security {
	void *domain;
} KERNEL;

/* ------------------------------------------------------------------------ helpers */

static long (*const read_kernel)(void *to, uint32_t size, const void *from) = (void *)113;
static long (*const read_kernel_text)(void *to, uint32_t size, const void *from) = (void *)115;
static long (*const seq_write)(struct seq_file *seq, const void *data, uint32_t size) = (void *)127;
static struct task_struct *(*const current_task)(void) = (void *)35;
static long (*const loop)(uint32_t count, void *function, void *data, uint64_t flags) = (void *)181;

/* Reads one member; what cannot be read is 0. */
#define READ(pointer, member)                                                                      \
	__extension__({                                                                            \
		__typeof__((pointer)->member) value_;                                              \
		__builtin_memset(&value_, 0, sizeof(value_));                                      \
		read_kernel(&value_, sizeof(value_), &(pointer)->member);                          \
		value_;                                                                            \
	})

struct rv_host_control control = {.offset = -1};

char program_license[] SEC("license") = "GPL";

/* ---------------------------------------------------------------------------- pids */

struct viewer {
	struct pid_namespace *ns;
	unsigned int level;
};

static struct upid *number_at(struct pid *pid, unsigned int level)
{
	char *first = (char *)&pid->numbers[0];

	return (struct upid *)(first + level * TYPE_SIZE(struct upid));
}

/* Who reads: its pid namespace is the innermost of its own number's. */
static struct viewer who_reads(void)
{
	struct pid *pid = READ(current_task(), thread_pid);
	struct viewer viewer = {.level = READ(pid, level)};

	viewer.ns = READ(number_at(pid, viewer.level), ns);
	return viewer;
}

static uint32_t pid_for(const struct viewer *viewer, struct pid *pid)
{
	struct upid *number = number_at(pid, viewer->level);

	if (!pid || READ(pid, level) < viewer->level || READ(number, ns) != viewer->ns)
		return 0;
	return (uint32_t)READ(number, nr);
}

/* ------------------------------------------------------------------------- domains */

static struct landlock_hierarchy *hierarchy_at(char *blob, int32_t offset)
{
	struct landlock_cred_security *security = (void *)(blob + offset);
	void *domain = READ(security, domain);

	if (!domain)
		return 0;
	if (FIELD_EXISTS(((struct landlock_domain *)0)->hierarchy))
		return READ((struct landlock_domain *)domain, hierarchy);
	return READ((struct landlock_ruleset *)domain, hierarchy);
}

static struct landlock_hierarchy *hierarchy_of(struct cred *cred)
{
	char *blob = READ(cred, security);

	return blob && control.offset >= 0 ? hierarchy_at(blob, control.offset) : 0;
}

/* ------------------------------------------------------------------------- writing */

/* Most processes are in the domain of their parent, and if that is seen it says the rest. */
static int says_parent(const struct rv_host_task *record, struct task_struct *parent,
	struct landlock_hierarchy *hierarchy)
{
	return record->parent && record->tid == record->pid &&
	       hierarchy_of(READ(parent, cred)) == hierarchy;
}

/* Whether its layers have to follow. Not inlined, either. */
static __attribute__((noinline)) int write_task(struct seq_file *seq, const struct viewer *viewer,
	struct task_struct *task, struct cred *cred, struct landlock_hierarchy *hierarchy)
{
	struct task_struct *leader = READ(task, group_leader);
	struct task_struct *parent = READ(READ(leader, real_parent), group_leader);
	struct rv_host_task record = {0};

	record.tid = pid_for(viewer, READ(task, thread_pid));
	record.pid = leader == task ? record.tid : pid_for(viewer, READ(leader, thread_pid));
	record.parent = pid_for(viewer, READ(parent, thread_pid));
	record.uid = READ(cred, uid).val;
	record.start = READ(task, start_boottime);
	record.domain = hierarchy ? READ(hierarchy, id) : 0;
	read_kernel(record.comm, sizeof(record.comm), &task->comm);
	/* What has changed meanwhile may be wrong, and is told to be unstable behind the layers. */
	record.follows = says_parent(&record, parent, hierarchy) && READ(task, cred) == cred
				 ? RV_HOST_NOTHING
				 : RV_HOST_DOMAINS;
	seq_write(seq, &record, sizeof(record));
	return record.follows == RV_HOST_DOMAINS;
}

static void write_layer(struct seq_file *seq, const struct viewer *viewer,
	struct landlock_hierarchy *hierarchy, struct landlock_hierarchy *parent)
{
	struct landlock_details *details = READ(hierarchy, details);
	struct pid *creator = READ(details, pid);
	struct rv_host_layer record = {0};
	char exe[RV_HOST_EXE_SIZE];
	long size;

	record.id = READ(hierarchy, id);
	record.denials = (uint64_t)READ(hierarchy, num_denials).counter;
	record.logs = (uint8_t)READ(hierarchy, log_status);
	record.creator = pid_for(viewer, creator);
	record.creator_lives = READ(creator, tasks[KIND_PROCESS]).first != 0;
	record.creator_uid = READ(details, uid);
	read_kernel(record.comm, sizeof(record.comm), &details->comm);
	record.more = parent != 0;
	size = details ? read_kernel_text(exe, sizeof(exe), &details->exe_path[0]) : 0;
	if (size < 0 || size > (long)sizeof(exe))
		size = 0;
	record.exe_size = (uint16_t)size;
	seq_write(seq, &record, sizeof(record));
	if (size > 0)
		seq_write(seq, exe, (uint32_t)size & (2 * RV_HOST_EXE_SIZE - 1));
}

/* Not inlined: the stack is short. */
static __attribute__((noinline)) int write_layers(
	struct seq_file *seq, const struct viewer *viewer, struct landlock_hierarchy *hierarchy)
{
	for (int i = 0; i < RV_HOST_LAYERS && hierarchy; i++) {
		struct landlock_hierarchy *parent = READ(hierarchy, parent);

		write_layer(seq, viewer, hierarchy, i + 1 < RV_HOST_LAYERS ? parent : 0);
		hierarchy = parent;
	}
	return 0;
}

static void write_nothing(struct seq_file *seq)
{
	struct rv_host_layer none = {0};

	seq_write(seq, &none, sizeof(none));
}

/* A thread whose domain is its process's says nothing new. */
static int is_like_its_process(struct task_struct *task, struct landlock_hierarchy *hierarchy)
{
	struct task_struct *leader = READ(task, group_leader);

	if (leader == task)
		return !hierarchy;
	return hierarchy_of(READ(leader, cred)) == hierarchy;
}

/* --------------------------------------------------------------------- descriptors */

#define DESCRIPTORS (1u << 16) /* who has more has others for them */

struct descriptors {
	struct seq_file *seq;
	struct file **files;
	struct cred *cred; /* of who reads */
	struct landlock_hierarchy *hierarchy;
};

static void write_opener(struct seq_file *seq, uint32_t fd, struct landlock_hierarchy *hierarchy)
{
	struct rv_host_task record = {.tid = fd, .follows = RV_HOST_DESCRIPTOR};
	struct rv_host_opener opener = {0};

	for (int i = 0; i < RV_HOST_LAYERS && hierarchy; i++) {
		opener.domains[i] = READ(hierarchy, id);
		hierarchy = READ(hierarchy, parent);
	}
	record.domain = opener.domains[0];
	seq_write(seq, &record, sizeof(record));
	seq_write(seq, &opener, sizeof(opener));
}

static int look_at_descriptor(uint32_t fd, struct descriptors *of)
{
	struct landlock_hierarchy *hierarchy;
	struct file *file = 0;
	struct cred *cred;

	read_kernel(&file, sizeof(file), of->files + fd);
	cred = file ? READ(file, f_cred) : 0;
	if (!cred || cred == of->cred)
		return 0;
	hierarchy = hierarchy_of(cred);
	if (hierarchy != of->hierarchy)
		write_opener(of->seq, fd, hierarchy);
	return 0;
}

static void write_descriptors(struct seq_file *seq, struct task_struct *reader)
{
	struct fdtable *table = READ(READ(reader, files), fdt);
	uint32_t count = READ(table, max_fds);
	struct descriptors of = {seq, READ(table, fd), READ(reader, cred), 0};

	of.hierarchy = hierarchy_of(of.cred);
	loop(count < DESCRIPTORS ? count : DESCRIPTORS, look_at_descriptor, &of, 0);
}

SEC("iter/task")
int domains(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct landlock_hierarchy *hierarchy;
	struct rv_host_header header = {RV_HOST_MAGIC, (uint32_t)control.offset};
	struct rv_host_end end = {0};
	struct cred *cred;
	struct viewer viewer;

	if (context->meta->seq_num == 0)
		seq_write(seq, &header, sizeof(header));
	if (!task)
		return 0;
	if (task == current_task())
		write_descriptors(seq, current_task());
	cred = READ(task, cred);
	hierarchy = hierarchy_of(cred);
	if (is_like_its_process(task, hierarchy))
		return 0;
	viewer = who_reads();
	if (!write_task(seq, &viewer, task, cred, hierarchy))
		return 0;
	if (hierarchy)
		write_layers(seq, &viewer, hierarchy);
	else
		write_nothing(seq);
	end.stable = READ(task, cred) == cred;
	seq_write(seq, &end, sizeof(end));
	return 0;
}

/* --------------------------------------------------------------------- calibration */

/*
 * Where Landlock's part of the security blob is, the kernel tells only builds with KALLSYMS_ALL.
 * But the target has just made itself a domain: the pointer at the right offset leads to a
 * hierarchy whose creator is the target.
 */
static int is_creator(struct pid *pid, char *blob, int32_t offset)
{
	struct landlock_hierarchy *hierarchy = hierarchy_at(blob, offset);

	struct landlock_details *details = hierarchy ? READ(hierarchy, details) : 0;

	return details && READ(details, pid) == pid;
}

#define BLOB_SIZE 512 /* far more than any combination of modules has */

SEC("iter/task")
int calibrate(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct viewer viewer;
	struct cred *cred;
	struct pid *pid;
	char *blob;

	if (!task || control.target == 0)
		return 0;
	viewer = who_reads();
	pid = READ(task, thread_pid);
	if (pid_for(&viewer, pid) != control.target)
		return 0;
	cred = READ(task, cred);
	blob = READ(cred, security);
	for (int32_t at = 0; blob && at < BLOB_SIZE; at += (int32_t)sizeof(void *)) {
		if (is_creator(pid, blob, at)) {
			control.offset = at;
			break;
		}
	}
	return 0;
}
