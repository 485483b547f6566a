// Answers of the server, and what the page makes of them. Times are seconds, labels are indices into the project's classes.

/** From, to. */
type Span = [number, number];
/** "0.5" -> value at that tIoU. */
type ByTiou = Record<string, number | null>;
/** One score of all classes, or one of each. */
type LeastScore = number | number[];
type Kind = "true positive" | "duplicate" | "wrong label" | "localization" | "confusion" | "background";

interface Project {
  title: string;
  classes: string[];
  /** Part -> whether it is there, and if not, why. */
  has: Record<string, boolean>;
  why_not: Record<string, string>;
  tiou: number[];
  /** From which score on the run shows detections of each class to people; null where that was not measured. */
  min_scores: number[] | null;
  /** Whether videos are labelled; detections are then drafts, which are shown from a score on. */
  labelling: boolean;
  draft_score?: number;
  videos: ListedVideo[];
}

/** A video as the list has it; null is what is not known until it is opened. */
interface ListedVideo {
  id: string;
  duration: number | null;
  detections: number | null;
  actions: number | null;
  corrected: boolean;
  /** Where videos are labelled: drafts to decide about, whether it is done, and why it cannot be opened. */
  drafts?: number;
  done?: boolean;
  why_not?: string | null;
}

interface Video {
  id: string;
  duration: number;
  fps: number | null;
  /** Of the first picture. */
  start: number;
  playable: boolean;
  why_not_playable: string | null;
  media_segments: MediaSegments | null;
  corrected: boolean;
  actions: Action[];
  detections: Detection[];
}

/** How a video is played that the server encodes in segments. */
interface MediaSegments {
  type: string;
  seconds: number;
  duration: number | null;
}

interface Action {
  segment: Span;
  label: number;
  /** Whether a detection finds it; nobody has judged what was corrected since. */
  found?: boolean;
}

interface Detection {
  segment: Span;
  score: number;
  label: number;
  level: number | null;
  kind: Kind | null;
  iou: number | null;
  /** Index of the action that it finds. */
  match: number | null;
}

/** One of the two, by its index. */
interface Thing {
  type: "detection" | "action";
  index: number;
}

interface State {
  project: Project;
  /** Video -> its average precision; null until it is computed. */
  precision: Record<string, ByTiou> | null;
  video: Video;
  tab: string;
  time: number;
  playing: boolean;
  rate: number;
  view: Span;
  tiou: number;
  corrected: boolean;
  minScore: LeastScore;
  hiddenClasses: Set<number>;
  hiddenKinds: Set<string>;
  levels: (number | null)[] | null;
  chosen: Thing | null;
  editing: boolean;
  actions: Action[];
  decided: number[];
  done: boolean;
  running: Running[];
  saving: { said: string; conflict: boolean } | null;
  looping: boolean;
  draftOrder: "time" | "unsure";
  theme: "light" | "dark";
}

/** An action that has begun and not ended. */
interface Running {
  label: number;
  start: number;
}

/** What can be edited of a video; where annotations are corrected, only the actions. */
type Edited = Pick<State, "actions" | "decided" | "done">;

/** Keys, what they do (nothing where that is said elsewhere), the function. */
type Binding = [string[], string, () => void];

/** A class that is offered; a name that is none yet has no label. */
interface Offer {
  label: number | null;
  name: string;
}

/** What decides what the timeline shows. */
type Shown = Pick<
  State,
  "project" | "video" | "actions" | "minScore" | "hiddenClasses" | "hiddenKinds" | "decided" | "running"
>;

/** Seconds <-> pixels. */
interface Scale {
  left: number;
  perSecond: number;
  x: (time: number) => number;
  time: (x: number) => number;
}

/** A detection or an action in a row of its lane. */
interface Placed {
  index: number;
  row: number;
}

interface Lane {
  label: number;
  top: number;
  height: number;
  rows: number;
  detections: Placed[];
  crowded: number[];
  crowdedTop: number;
  actions: Placed[];
  actionTop: number;
  actionRows: Span[][];
  /** Where what has begun is drawn; null where nothing of the class has. */
  running: { start: number; row: number } | null;
}

interface Candidate {
  segment: Span;
  score: number;
  label: number;
  level: number;
  moment: number;
  /** To start and end, in steps of the level. */
  offsets: [number, number];
}

/** Suppression among the candidates of a span, pick by pick. */
interface Trace {
  total: number;
  /** Per level; of a network without levels none. */
  seconds_per_step: number[];
  candidates: Candidate[];
  settings: { method: string; sigma: number; tiou_threshold: number; min_score: number };
  steps: { pick: number; score: number; changed: [number, number][] }[];
}

interface Picks {
  trace: Trace;
  of: string | null;
  at: number;
  scores: number[];
  before: number[];
  chosen: number | null;
  byLevel: boolean;
}

/** What the network says at one level. */
interface LevelScores {
  stride: number;
  seconds_per_step: number;
  /** Of the first value, and from one to the next. */
  time: [number, number];
  range: [number, number | null];
  /** [label][moment] */
  maximum: number[][];
}

interface Moment {
  levels: { level: number; window: Span; positions: number }[];
  ranges: {
    level: number;
    stride: number;
    window_seconds: number | null;
    reach_seconds: number | null;
    action_range: [number, number | null];
  }[];
  blocks: string[];
  attention: Attention | null;
  why_not: string | null;
}

interface Attention {
  block: number;
  heads: { local: Weights; global: Weights | null }[];
  /** null where places are sampled, so many by each head */
  cost: { local: number; global: number } | null;
  places: number | null;
}

interface Weights {
  time: number[];
  weight: number[];
}

/** What the detections of a score are, and how many actions were found. */
interface Errors {
  kinds: Record<string, number>;
  gains: Record<string, number>;
  by_class: Record<string, Record<string, number>>;
  by_length: LengthRange[];
}

type LengthRange = { range: [number, number | null]; found: number; missed: number } & Record<Kind, number>;

interface RunAnswer {
  curves: Record<string, [number, number][]>;
  map: Record<string, number> | null;
  per_class: { class: string; ap: ByTiou; actions: number }[];
  errors: Errors | null;
}

interface Comparison {
  names: [string, string];
  map: Record<string, [number, number]>;
  per_class: { class: string; first: ByTiou; second: ByTiou; difference: ByTiou }[];
}

/** What an element can hold. */
type Content = Node | string | number | null | undefined | Content[];

interface SliderOptions {
  id: string;
  min: number;
  max: number;
  step: number;
  value: number;
  show?: (value: number) => string;
  change: (value: number) => void;
}

/** A pointer's event on a canvas that listens to it. */
type OnCanvas<E extends Event> = E & { currentTarget: HTMLCanvasElement };

/** Safari's own, where a page may not hold much. */
interface Window {
  ManagedMediaSource?: typeof MediaSource;
}

declare var Plotly: any;

type Edge = "start" | "end" | "whole";

/** Where a table's rows are drawn from: heading, text of a row, whether it is a number. */
type Column<Row> = [string, (row: Row) => string, boolean?];

/** Where on a canvas time is drawn. */
interface Area {
  scale: Scale;
  left: number;
  width: number;
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Heights of candidates, of one level or of all. */
interface Band {
  level: number | null;
  top: number;
  height: number;
}

type CandidateArea = Area & { bands: Band[] };

/** What is under a pointer on the timeline. */
interface Place {
  time: number;
  scale: Scale;
  ruler: boolean;
  /** The lane whose name it is. */
  named: Lane | null;
  hit: Thing | null;
  grip: Edge | null;
}

/** What fingers (or the mouse) do on the lanes between the first one down and the last one up. */
interface Gesture {
  /** Where each of them is. */
  fingers: Map<number, number>;
  /** What was under the first. */
  place: Place;
  moved: boolean;
  /** What to go back to if the browser takes the gesture for its own. */
  before: Pick<State, "time" | "view" | "chosen" | "actions" | "decided">;
  /** From where on a single finger moves things. */
  from: { x: number; view: Span };
  drag: Drag | null;
}

/** Dragging an action, by so many seconds. */
interface Drag {
  move: (shift: number) => void;
  end: () => void;
}

/** A column that can be sorted: heading, value of a row, its text (names have none), an element in its place. */
type SortableColumn<Row> = [
  string,
  (row: Row) => string | number | null,
  (((value: any) => string) | null)?,
  ((row: Row) => Content)?,
];

/** A name, parts of a bar with their class, a text, the value of a full bar. */
type BarRow = [string, [number, string][], string, number];

/** A plot on the timeline's axis; `draw` gives whether it could be drawn. */
interface TimePlot {
  place: HTMLElement;
  draw: (traces: object[], layout: Record<string, any>) => Promise<boolean>;
}

/** What shows a video. */
interface VideoScreen {
  media: HTMLVideoElement;
  /** Whether it has a picture for the playhead. */
  shows: () => boolean;
  close: () => void;
}

/** The media segments of a video, and where they are. */
interface Feed {
  type: string;
  seconds: number;
  /** Of all together, at most. */
  duration: number;
  address: (segment: number) => string;
  /** Called with words where the playhead comes to a segment that cannot be shown, and with null where it leaves it. */
  interrupt: (words: string | null) => void;
}

/** What is edited of a video. */
interface Session {
  id: string;
  /** Name of the file that it is saved to. */
  file: string;
  /** Of what is saved. */
  revision: number;
  /** As it is now, and as it is saved: the same where nothing is to be saved. */
  now: Edited;
  saved: Edited;
  /** What it was before and after each change. */
  past: Edited[];
  future: Edited[];
  /** A save under way. */
  saving: Promise<void> | null;
  /** Whether someone else saved meanwhile. */
  conflict: boolean;
  said: string;
}

/** A video that is being opened, and what else is set with it. */
interface Opening {
  id: string;
  start: Partial<State>;
}

/** What an address asks for. */
type Asked = { id: string | null } & Partial<Pick<State, "tab" | "minScore" | "tiou" | "time" | "view">>;
