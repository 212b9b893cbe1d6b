// Command client-go is a shared informer of client-go, told what to do by lines of its standard input and telling by lines
// of its standard output what its handlers are told. It is what the conformance scripts are recorded with.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// informerOptions are the script's, with the server's address.
type informerOptions struct {
	Server        string `json:"server"`
	Metadata      bool   `json:"metadata"`
	Namespace     string `json:"namespace"`
	LabelSelector string `json:"labelSelector"`
	FieldSelector string `json:"fieldSelector"`
	ResyncMs      int    `json:"resyncMs"`
	Transform     bool   `json:"transform"`
}

type command struct {
	Do       string `json:"do"`
	Name     string `json:"name"`
	ResyncMs *int   `json:"resyncMs"`
	Filter   string `json:"filter"`
}

type handlerLine struct {
	Handler string `json:"handler"`
	Event   string `json:"event"`
}

type state struct {
	Synced         bool                `json:"synced"`
	HandlersSynced map[string]bool     `json:"handlersSynced"`
	Store          []string            `json:"store"`
	Index          map[string][]string `json:"index,omitempty"`
}

type answer struct {
	Done  string `json:"done"`
	Error string `json:"error,omitempty"`
	State *state `json:"state,omitempty"`
}

var (
	lock   sync.Mutex
	output = json.NewEncoder(os.Stdout)
)

func write(line any) {
	lock.Lock()
	defer lock.Unlock()
	_ = output.Encode(line)
}

func named(object any) string {
	accessor := object.(metav1.Object)
	return cache.MetaObjectToName(accessor).String() + "@" + accessor.GetResourceVersion()
}

type recorder struct{ name string }

func (r recorder) write(event string) { write(handlerLine{r.name, event}) }

func (r recorder) OnAdd(object any, isInInitialList bool) {
	if isInInitialList {
		r.write("add " + named(object) + " initial")
	} else {
		r.write("add " + named(object))
	}
}

func (r recorder) OnUpdate(old, object any) {
	r.write("update " + named(old) + "→" + object.(metav1.Object).GetResourceVersion())
}

func (r recorder) OnDelete(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		r.write("tombstone " + named(unknown.Obj))
	} else {
		r.write("delete " + named(object))
	}
}

// described is what the store holds of an object, as far as the scripts look at it.
func described(object any) string {
	accessor := object.(metav1.Object)
	parts := []string{named(object), string(accessor.GetUID())}
	if app := accessor.GetLabels()["app"]; app != "" {
		parts = append(parts, "app="+app)
	}
	if whole, ok := object.(*unstructured.Unstructured); ok {
		if note, found, _ := unstructured.NestedString(whole.Object, "data", "note"); found {
			parts = append(parts, "note="+note)
		}
	}
	return strings.Join(parts, " ")
}

func byApp(object any) ([]string, error) {
	if app := object.(metav1.Object).GetLabels()["app"]; app != "" {
		return []string{app}, nil
	}
	return nil, nil
}

func listWatch(options informerOptions) (*cache.ListWatch, runtime.Object, error) {
	resource := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	config := &rest.Config{Host: options.Server, QPS: -1}
	tweak := func(list *metav1.ListOptions) {
		list.LabelSelector = options.LabelSelector
		list.FieldSelector = options.FieldSelector
	}
	if options.Metadata {
		client, err := metadata.NewForConfig(config)
		if err != nil {
			return nil, nil, err
		}
		objects := client.Resource(resource).Namespace(options.Namespace)
		return &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, list metav1.ListOptions) (runtime.Object, error) {
				tweak(&list)
				return objects.List(ctx, list)
			},
			WatchFuncWithContext: func(ctx context.Context, list metav1.ListOptions) (watch.Interface, error) {
				tweak(&list)
				return objects.Watch(ctx, list)
			},
		}, &metav1.PartialObjectMetadata{}, nil
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, nil, err
	}
	objects := client.Resource(resource).Namespace(options.Namespace)
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, list metav1.ListOptions) (runtime.Object, error) {
			tweak(&list)
			return objects.List(ctx, list)
		},
		WatchFuncWithContext: func(ctx context.Context, list metav1.ListOptions) (watch.Interface, error) {
			tweak(&list)
			return objects.Watch(ctx, list)
		},
	}, &unstructured.Unstructured{}, nil
}

type program struct {
	informer      cache.SharedIndexInformer
	resyncMs      int
	registrations map[string]cache.ResourceEventHandlerRegistration
	cancel        context.CancelFunc
	ended         chan struct{}
}

func (p *program) do(c command) (*state, error) {
	switch c.Do {
	case "start":
		ctx, cancel := context.WithCancel(context.Background())
		p.cancel, p.ended = cancel, make(chan struct{})
		go func() {
			defer close(p.ended)
			p.informer.RunWithContext(ctx)
		}()
	case "stop":
		p.cancel()
		<-p.ended
	case "handler":
		var handler cache.ResourceEventHandler = recorder{c.Name}
		if c.Filter != "" {
			filter := func(object any) bool {
				if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
					object = unknown.Obj
				}
				return object.(metav1.Object).GetLabels()["app"] == c.Filter
			}
			handler = cache.FilteringResourceEventHandler{FilterFunc: filter, Handler: handler}
		}
		resyncMs := p.resyncMs
		if c.ResyncMs != nil {
			resyncMs = *c.ResyncMs
		}
		registration, err := p.informer.AddEventHandlerWithResyncPeriod(handler, time.Duration(resyncMs)*time.Millisecond)
		if err != nil {
			return nil, err
		}
		p.registrations[c.Name] = registration
	case "unhandle":
		return nil, p.informer.RemoveEventHandler(p.registrations[c.Name])
	case "index":
		return nil, p.informer.AddIndexers(cache.Indexers{"app": byApp})
	case "state":
		return p.state(), nil
	default:
		return nil, fmt.Errorf("unknown command %q", c.Do)
	}
	return nil, nil
}

func (p *program) state() *state {
	s := &state{Synced: p.informer.HasSynced(), HandlersSynced: map[string]bool{}}
	// A handler is synced by another goroutine than the one that called it last.
	deadline := time.Now().Add(300 * time.Millisecond)
	for name, registration := range p.registrations {
		for !registration.HasSynced() && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		s.HandlersSynced[name] = registration.HasSynced()
	}
	indexer := p.informer.GetIndexer()
	s.Store = []string{}
	for _, object := range indexer.List() {
		s.Store = append(s.Store, described(object))
	}
	sort.Strings(s.Store)
	if _, indexed := indexer.GetIndexers()["app"]; indexed {
		s.Index = map[string][]string{}
		for _, value := range indexer.ListIndexFuncValues("app") {
			keys, _ := indexer.IndexKeys("app", value)
			sort.Strings(keys)
			s.Index[value] = keys
		}
	}
	return s
}

func run() error {
	var options informerOptions
	if err := json.Unmarshal([]byte(os.Args[1]), &options); err != nil {
		return err
	}
	lw, example, err := listWatch(options)
	if err != nil {
		return err
	}
	informer := cache.NewSharedIndexInformer(lw, example, time.Duration(options.ResyncMs)*time.Millisecond, cache.Indexers{})
	if options.Transform {
		if err := informer.SetTransform(func(object any) (any, error) {
			if whole, ok := object.(*unstructured.Unstructured); ok {
				unstructured.RemoveNestedField(whole.Object, "data")
			}
			return object, nil
		}); err != nil {
			return err
		}
	}
	p := &program{informer: informer, resyncMs: options.ResyncMs, registrations: map[string]cache.ResourceEventHandlerRegistration{}}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		var c command
		if err := json.Unmarshal(commands.Bytes(), &c); err != nil {
			return err
		}
		done := answer{Done: c.Do}
		if done.State, err = p.do(c); err != nil {
			done.Error = err.Error()
		}
		write(done)
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
