/** Informers for anything that the server serves. Counterpart: client-go's dynamic/dynamicinformer. */
import { InformerFactory } from "./shared-informer-factory.js";

/** No typed accessors: everything by `forResource({ group, version, resource })`, with unstructured objects. */
export class DynamicSharedInformerFactory extends InformerFactory {}
