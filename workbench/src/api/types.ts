/** The shapes of the HTTP API that the page reads; `/openapi.json` is their description. */

/** The four labels of an answer. */
export type ServedFrom = "engine_cache" | "engine_backend" | "engine_mixed" | "backend";

export interface PartProvenance {
  readonly family: string;
  readonly operator: string;
  readonly anchor: readonly string[];
  readonly route: "exact" | "rollup" | "backend";
  readonly served_from: ServedFrom;
  readonly entry?: string;
  readonly rolled_up_from?: readonly string[];
  readonly edges?: readonly string[];
  readonly version?: Readonly<Record<string, string>>;
  readonly trusted?: readonly string[];
  readonly shift?: string;
}

export interface ColumnProvenance {
  readonly column: string;
  readonly served_from: ServedFrom;
  readonly parts: readonly PartProvenance[];
}

export interface Provenance {
  readonly served_from: ServedFrom;
  readonly query_id: string;
  readonly collection: string;
  readonly columns: readonly ColumnProvenance[];
  readonly notes?: readonly string[];
}

export interface ReloadState {
  readonly state: "ok" | "failed" | "none";
  readonly at?: string | null;
  readonly errors?: readonly { readonly file?: string; readonly line?: number | null; readonly message: string }[];
}

export interface Health {
  readonly status: string;
  readonly installation_id: string;
  readonly version: string;
  readonly collections?: readonly string[];
  readonly reload?: ReloadState;
  /** As whom the caller was let in; absent where no credentials are asked for. */
  readonly user?: string;
  /** Where Arrow Flight answers. */
  readonly flight?: string;
}

export interface BlockedLevel {
  readonly level: string;
  readonly code: string;
  readonly reason: string;
}

export interface Availability {
  readonly reducer: string;
  readonly levels: readonly string[];
  readonly required: readonly string[];
  readonly blocked: readonly BlockedLevel[];
}

/** A metric as the list of names tells it: without where it may be asked. */
export interface MetricName {
  readonly name: string;
  readonly description: string;
  readonly type: string;
  readonly reducers: readonly string[];
  readonly default?: string | null;
  readonly schema?: string;
  readonly formula?: string;
  readonly inputs?: readonly string[];
  /** The levels it cannot be asked without, under its default reducer. */
  readonly required: readonly string[];
}

/** A metric with where it may be asked: at the levels that were asked about. */
export interface MetricFacts {
  readonly name: string;
  readonly formula?: string;
  readonly anchors: readonly Availability[];
}

export interface LevelName {
  readonly name: string;
  readonly type: string;
  readonly family: string;
  readonly description: string;
}

export interface LevelFacts extends LevelName {
  readonly facts?: {
    readonly cardinality: number;
    readonly has_null: boolean;
    readonly first: unknown;
    readonly last: unknown;
    readonly members: readonly unknown[];
  };
  readonly refused?: string;
}

/** A saved frame: a question under a name, which SQL reads as a table. */
export interface FrameName {
  readonly name: string;
  readonly description: string;
  /** What it asks, in Frame-QL. */
  readonly query: string;
  /** The levels that it has a row for each of. */
  readonly grain: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Everything of a collection once, and nothing of metrics at levels. */
export interface CollectionNames {
  readonly name: string;
  readonly description: string;
  readonly levels: readonly LevelName[];
  readonly metrics: readonly MetricName[];
  readonly schemas: readonly { readonly name: string; readonly grain: readonly string[]; readonly description: string }[];
  /** Absent where it saves none. */
  readonly frames?: readonly FrameName[];
}

export interface Names {
  readonly installation_id: string;
  readonly collections: readonly CollectionNames[];
}

/** Some of a collection, in full. */
export interface Description {
  readonly installation_id: string;
  readonly collections: readonly { readonly name: string; readonly levels: readonly LevelFacts[]; readonly metrics: readonly MetricFacts[] }[];
}

export interface PlanNode {
  readonly id: string;
  readonly kind: "table" | "fetch" | "entry" | "rollup" | "compose" | "column" | "rejected" | "island" | "algebra";
  readonly label: string;
  readonly served_from: ServedFrom | null;
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly reason: string | null;
}

export interface PlanEdge {
  readonly source: string;
  readonly target: string;
  readonly label: string | null;
}

export interface Step {
  readonly step: number;
  readonly column: string;
  readonly family: string;
  readonly operator: string;
  readonly anchor: string;
  readonly route: string;
  readonly source: string;
  readonly why_not: string;
}

export interface Explanation {
  readonly ac_name: string;
  readonly steps: readonly Step[];
  readonly nodes?: readonly PlanNode[];
  readonly edges?: readonly PlanEdge[];
  readonly sql?: readonly { readonly node: string; readonly text: string }[];
}

export interface Option {
  readonly label: string;
  readonly kind: "metric" | "level" | "reducer" | "keyword" | "schema" | "function" | "member" | "parameter";
  readonly insert: string;
  readonly detail: string;
  readonly type: string | null;
  readonly legal: boolean;
  readonly code: string | null;
  readonly reason: string | null;
}

export interface Completion {
  readonly start: number;
  readonly end: number;
  readonly options: readonly Option[];
}

export interface Shelf {
  readonly metrics: readonly string[];
  readonly at: readonly string[] | null;
  readonly where: readonly string[];
  readonly having: readonly string[];
  readonly order: readonly string[];
  readonly limit: number | null;
  readonly from: string | null;
}

export interface Mistake {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly end_line?: number | null;
  readonly end_column?: number | null;
  readonly fix: string | null;
}

export type Check =
  | {
      readonly ok: true;
      readonly ac_name: string;
      readonly canonical: string | null;
      readonly columns: readonly { readonly name: string; readonly type: string; readonly kind: "level" | "metric" }[];
      readonly shelf: Shelf | null;
    }
  | { readonly ok: false; readonly errors: readonly Mistake[] };

export interface Entry {
  readonly id: string;
  readonly family: string;
  readonly anchor: readonly string[];
  readonly operator: string;
  readonly filtered: boolean;
  readonly filter: readonly string[];
  readonly rows: number;
  readonly bytes: number;
  readonly hits: number;
  readonly age_seconds: number;
  readonly last_used_seconds: number | null;
  readonly pinned: boolean;
  readonly route: "backend" | "rollup";
  readonly from_anchor: readonly string[] | null;
  readonly fresh: boolean;
}

export interface Manifest {
  readonly ac_name: string;
  readonly enabled: boolean;
  readonly entries: readonly Entry[];
  readonly entry_count: number;
  readonly bytes: number;
  readonly budget_bytes: number;
  readonly budget_percent: number;
  readonly hits: number;
  readonly misses: number;
  readonly counts?: Readonly<Record<string, number>>;
}

export interface Recommendation {
  readonly family: string;
  readonly operator: string;
  readonly anchor: readonly string[];
  readonly hits: number;
  readonly age_days: number;
  readonly hits_per_day: number;
  readonly bytes: number;
  readonly seconds?: number | null;
  readonly saved_seconds_per_day?: number | null;
  readonly stanza: string;
}

export interface NotCandidate {
  readonly family: string;
  readonly operator: string;
  readonly anchor: readonly string[];
  readonly filtered: boolean;
  readonly filter: readonly string[];
  readonly hits: number;
  readonly reason: string;
}

export interface Recommendations {
  readonly recommendations: readonly Recommendation[];
  readonly not_candidates?: readonly NotCandidate[];
}

export interface Promotion {
  readonly family: string;
  readonly anchor: readonly string[];
}

export interface Promoted {
  readonly applied: boolean;
  readonly file?: string;
  readonly hash: string;
  readonly diff: string;
}

export interface Statement {
  readonly id: string;
  readonly source: string;
  readonly started: string | number;
  readonly seconds: number;
  readonly state: "running" | "waiting";
}

export interface Statements {
  readonly statements: readonly Statement[];
  readonly running: number;
  readonly waiting: number;
}

export interface EngineEvent {
  readonly entries: number;
  readonly bytes: number;
  readonly budget_bytes: number;
  readonly hits: number;
  readonly misses: number;
  readonly rollups: number;
  readonly running: number;
  readonly waiting: number;
  readonly hot_hits: number;
  readonly at: number | string;
}
