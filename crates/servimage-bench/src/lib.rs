//! ServImageBench: tasks, hard rules, result files, verdicts and the messages that carry them
