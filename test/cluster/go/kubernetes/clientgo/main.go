// Command clientgo is a client-go informer that prints what its handler is told, one JSON object a line.
// It is the reference that tests compare with. It ends at the end of its standard input.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

type line struct {
	Type            string `json:"type"`
	Key             string `json:"key,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
	InitialList     bool   `json:"isInInitialList,omitempty"`
	Unknown         bool   `json:"finalStateUnknown,omitempty"`
}

var (
	lock   sync.Mutex
	output = json.NewEncoder(os.Stdout)
)

func write(l line) {
	lock.Lock()
	defer lock.Unlock()
	_ = output.Encode(l)
}

func describe(kind string, object any) line {
	l := line{Type: kind}
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		l.Unknown = true
		object = unknown.Obj
	}
	if accessor, ok := object.(metav1.Object); ok {
		l.Key = cache.MetaObjectToName(accessor).String()
		l.ResourceVersion = accessor.GetResourceVersion()
	}
	return l
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "path")
	namespace := flag.String("namespace", "", "all namespaces when empty")
	group := flag.String("group", "", "empty for core")
	version := flag.String("version", "v1", "of the group")
	resource := flag.String("resource", "", "plural")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()

	factory := dynamicinformer.NewFilteredDynamicSharedInformerFactory(client, 0, *namespace, nil)
	gvr := schema.GroupVersionResource{Group: *group, Version: *version, Resource: *resource}
	registration, err := factory.ForResource(gvr).Informer().AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(object any, isInInitialList bool) {
			l := describe("add", object)
			l.InitialList = isInInitialList
			write(l)
		},
		UpdateFunc: func(_, object any) { write(describe("update", object)) },
		DeleteFunc: func(object any) { write(describe("delete", object)) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		write(line{Type: "synced"})
	}
	<-ctx.Done()
	factory.Shutdown()
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
