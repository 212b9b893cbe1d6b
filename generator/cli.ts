#!/usr/bin/env node
/** The command line: arguments, progress, summary, exit codes. The only file of the generator that prints. */
import { Command } from "commander";
