// Command soak is client-go's informers in the place of ours in a soak: it is told what to do by lines of its standard input and
// tells by lines of its standard output what its handlers are told. The messages are those of test/soak/protocol.ts. Informers are
// made as programs make them: dynamic factories with their defaults.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

const (
	tellEvery = 100 * time.Millisecond
	lateEvery = 7 * time.Second
)

type resource struct {
	name string
	gvr  schema.GroupVersionResource
}

var resources = []resource{
	{"small", schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}},
	{"large", schema.GroupVersionResource{Version: "v1", Resource: "secrets"}},
	{"custom", schema.GroupVersionResource{Group: "soak.example.com", Version: "v1", Resource: "widgets"}},
}

type view struct {
	Namespace string `json:"namespace,omitempty"`
	Tier      string `json:"tier,omitempty"`
}

type configuration struct {
	Server   string `json:"server"`
	CA       string `json:"ca"`
	Token    string `json:"token"`
	SampleMs int    `json:"sampleMs"`
}

type command struct {
	Type          string        `json:"type"`
	Configuration configuration `json:"configuration"`
	Token         string        `json:"token"`
	Stops         int           `json:"stops"`
}

// now is in milliseconds of the clock that all processes of a machine share.
func now() float64 {
	var at unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &at)
	return float64(at.Nano()) / 1e6
}

// What is said goes out in order, and what handlers are told in batches.
var (
	lock     sync.Mutex
	output   = json.NewEncoder(os.Stdout)
	events   = []any{}
	requests = []any{}
)

type message map[string]any

func flush() {
	if len(events) == 0 && len(requests) == 0 {
		return
	}
	_ = output.Encode(message{"type": "told", "events": events, "requests": requests})
	events, requests = []any{}, []any{}
}

func say(what message) {
	lock.Lock()
	defer lock.Unlock()
	flush()
	_ = output.Encode(what)
}

// sequenceOf is -1 of what the writer did not write.
func sequenceOf(object any) int {
	whole, ok := object.(*unstructured.Unstructured)
	if !ok {
		return -1
	}
	text, _, _ := unstructured.NestedString(whole.Object, "data", "sequence")
	if whole.GetKind() == "Secret" {
		decoded, _ := base64.StdEncoding.DecodeString(text)
		text = string(decoded)
	}
	sequence, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return sequence
}

type handler struct {
	id   int
	slow bool
}

func (h handler) tell(told string, object any, before int) {
	sequence := sequenceOf(object)
	if sequence < 0 {
		return
	}
	key := cache.MetaObjectToName(object.(metav1.Object)).String()
	lock.Lock()
	events = append(events, []any{h.id, told, key, sequence, before, now()})
	lock.Unlock()
	if h.slow {
		time.Sleep(4 * time.Millisecond)
	}
}

func (h handler) OnAdd(object any, isInInitialList bool) {
	if isInInitialList {
		h.tell("i", object, 0)
	} else {
		h.tell("a", object, 0)
	}
}

// After a list client-go tells of what has not changed, too, as of an update from a version to itself: that is no event here.
func (h handler) OnUpdate(old, object any) {
	if old.(metav1.Object).GetResourceVersion() != object.(metav1.Object).GetResourceVersion() {
		h.tell("u", object, sequenceOf(old))
	}
}

func (h handler) OnDelete(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		h.tell("t", unknown.Obj, 0)
	} else {
		h.tell("d", object, 0)
	}
}

var handlers atomic.Int32

func join(informer cache.SharedIndexInformer, name string, of resource, v view, kind string) (handler, cache.ResourceEventHandlerRegistration) {
	h := handler{id: int(handlers.Add(1)), slow: kind == "slow"}
	facts := message{"id": h.id, "resource": of.name, "informer": name, "view": v, "kind": kind}
	say(message{"type": "joined", "handler": facts, "atMs": now()})
	registration, err := informer.AddEventHandler(h)
	if err != nil {
		say(message{"type": "broken", "what": "process", "text": err.Error()})
	}
	return h, registration
}

type subject struct {
	name     string
	informer cache.SharedIndexInformer
}

type client struct {
	dynamic   dynamic.Interface
	subjects  []subject
	factories []dynamicinformer.DynamicSharedInformerFactory
	context   context.Context
	stop      context.CancelFunc
	leaving   sync.WaitGroup
}

func kindOf(options *metav1.ListOptions) string {
	switch {
	case options.SendInitialEvents != nil && *options.SendInitialEvents:
		return "watchList"
	case options.Watch || options.TimeoutSeconds != nil:
		return "watch"
	case options.Continue != "":
		return "page"
	default:
		return "list"
	}
}

func (c *client) follow(name string, v view, kinds ...string) {
	for _, each := range resources {
		full := name + "/" + each.name
		tweak := func(options *metav1.ListOptions) {
			if v.Tier != "" {
				options.LabelSelector = "tier=" + v.Tier
			}
			lock.Lock()
			requests = append(requests, []any{full, kindOf(options), now()})
			lock.Unlock()
		}
		// One for each resource, so that its requests can be told apart.
		factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(c.dynamic, 0, v.Namespace, tweak)
		informer := factory.ForResource(each.gvr).Informer()
		c.factories = append(c.factories, factory)
		c.subjects = append(c.subjects, subject{full, informer})
		for _, kind := range kinds {
			if kind == "late" {
				c.comeAndGo(informer, full, each, v)
			} else {
				join(informer, full, each, v, kind)
			}
		}
	}
}

func (c *client) comeAndGo(informer cache.SharedIndexInformer, name string, of resource, v view) {
	c.leaving.Go(func() {
		for c.context.Err() == nil {
			h, registration := join(informer, name, of, v, "late")
			select {
			case <-c.context.Done():
			case <-time.After(lateEvery):
			}
			_ = informer.RemoveEventHandler(registration)
			say(message{"type": "left", "id": h.id})
		}
	})
}

func (c *client) snapshot() []any {
	snapshot := []any{}
	for _, each := range c.subjects {
		objects := []any{}
		for _, object := range each.informer.GetStore().List() {
			if sequence := sequenceOf(object); sequence >= 0 {
				objects = append(objects, []any{cache.MetaObjectToName(object.(metav1.Object)).String(), sequence})
			}
		}
		snapshot = append(snapshot, []any{each.name, objects})
	}
	return snapshot
}

// stops is how long informers took to stop, at moments of their life.
func (c *client) stops(count int) []float64 {
	took := []float64{}
	for round := range count {
		ctx, cancel := context.WithCancel(context.Background())
		factory := dynamicinformer.NewDynamicSharedInformerFactory(c.dynamic, 0)
		for _, each := range resources {
			factory.ForResource(each.gvr).Informer()
		}
		factory.Start(ctx.Done())
		time.Sleep(time.Duration(round*7%150) * time.Millisecond)
		started := now()
		cancel()
		factory.Shutdown()
		took = append(took, now()-started)
	}
	return took
}

var token atomic.Value

type authorized struct{ next http.RoundTripper }

func (a authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	if text := token.Load().(string); text != "" {
		request.Header.Set("Authorization", "Bearer "+text)
	}
	return a.next.RoundTrip(request)
}

func start(c configuration) *client {
	token.Store(c.Token)
	config := &rest.Config{
		Host:            c.Server,
		TLSClientConfig: rest.TLSClientConfig{CAData: []byte(c.CA)},
		// client-go's own limit of five requests a second would be what is measured.
		QPS:           -1,
		WrapTransport: func(next http.RoundTripper) http.RoundTripper { return authorized{next} },
	}
	made := &client{dynamic: dynamic.NewForConfigOrDie(config)}
	made.context, made.stop = context.WithCancel(context.Background())
	made.follow("all", view{}, "plain", "slow")
	made.follow("namespace", view{Namespace: "soak-a"}, "plain", "late")
	made.follow("selector", view{Tier: "front"}, "plain")
	made.follow("blocking", view{Namespace: "soak-b"}, "plain")
	for _, factory := range made.factories {
		factory.Start(made.context.Done())
	}
	return made
}

func handles() message {
	entries, _ := os.ReadDir("/proc/self/fd")
	return message{"sockets": 0, "timers": 0, "fileDescriptors": len(entries)}
}

func sample() message {
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &usage)
	statm, _ := os.ReadFile("/proc/self/statm")
	rss := 0
	if fields := strings.Fields(string(statm)); len(fields) > 1 {
		rss, _ = strconv.Atoi(fields[1])
	}
	result := handles()
	for name, value := range (message{
		"atMs": now(), "heapBytes": memory.HeapAlloc, "rssBytes": rss * os.Getpagesize(), "externalBytes": 0,
		"loopP50Ms": 0, "loopP99Ms": 0, "loopMaxMs": 0, "loopBusy": 0,
		"cpuMs":   float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6,
		"pending": 0, "coalesced": 0, "objects": 0,
	}) {
		result[name] = value
	}
	return result
}

func every(period time.Duration, do func()) {
	go func() {
		for range time.Tick(period) {
			do()
		}
	}()
}

func main() {
	klog.SetOutput(io.Discard)
	klog.LogToStderr(false)
	say(message{"type": "ready"})
	before := handles()
	var running *client
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var told command
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			panic(err)
		}
		switch told.Type {
		case "start":
			running = start(told.Configuration)
			every(tellEvery, func() {
				lock.Lock()
				defer lock.Unlock()
				flush()
			})
			every(time.Duration(told.Configuration.SampleMs)*time.Millisecond, func() {
				say(message{"type": "sample", "sample": sample()})
			})
		case "token":
			token.Store(told.Token)
		case "snapshot":
			say(message{"type": "snapshot", "snapshot": running.snapshot()})
		case "finish":
			stopMs := running.stops(told.Stops)
			started := now()
			running.stop()
			for _, factory := range running.factories {
				factory.Shutdown()
			}
			running.leaving.Wait()
			stopMs = append(stopMs, now()-started)
			say(message{"type": "finished", "stopMs": stopMs, "handlesBefore": before, "handlesAfter": handles()})
			return
		}
	}
}
